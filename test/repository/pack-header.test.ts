import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { BlobEncoder } from '../../src/repository/blob-codec.ts';
import { randomMasterKey, Sealer } from '../../src/repository/crypto.ts';
import { sha256 } from '../../src/repository/ids.ts';
import { Kernel } from '../../src/repository/kernel/kernel.ts';
import { readPackHeader } from '../../src/repository/pack-header.ts';
import { type FinishedPack, Packer } from '../../src/repository/packer.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';

const sealer = new Sealer(randomMasterKey(), Kernel.create(), 1 << 20);

async function storedPack(
  change: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes,
): Promise<{ storage: MemoryStorage; name: string; pack: FinishedPack }> {
  const packs: FinishedPack[] = [];
  const packer = new Packer(
    'data',
    1 << 20,
    new BlobEncoder(sealer),
    sealer,
    (bytes) => new ArrayBuffer(bytes),
    (pack) => packs.push(pack),
  );
  for (const size of [10, 2000, 70_000]) {
    const plain = randomBytes(size);
    packer.add(sha256(plain), plain);
  }
  packer.finish();
  const [pack] = packs as [FinishedPack];
  const storage = new MemoryStorage();
  const name = pack.id.toString('hex');
  await storage.save({ kind: 'pack', name }, [change(pack.bytes.slice())]);
  return { storage, name, pack };
}

test('reads the header of a pack, and nothing else of it', async () => {
  const { storage, name, pack } = await storedPack();
  expect(await readPackHeader({ storage, sealer }, name)).toEqual(pack.header);
  const loaded = storage.operations.flatMap((operation) => (operation.kind === 'load' ? [operation.range?.length] : []));
  expect(loaded).toEqual([4, pack.header.length + 32]);
});

test('a pack that lost or won bytes, anywhere, is refused', async () => {
  const changes: [string, (bytes: Uint8Array) => Uint8Array][] = [
    ['pack-invalid', () => new Uint8Array(0)],
    ['pack-invalid', (bytes) => bytes.subarray(0, 3)],
    ['pack-invalid', (bytes) => Buffer.concat([Buffer.of(7), bytes])],
    ['pack-invalid', (bytes) => bytes.subarray(1)],
    ['pack-invalid', (bytes) => bytes.subarray(-40)],
    ['item-tampered', (bytes) => bytes.fill(bytes.at(-6)! ^ 1, -6, -5)],
    ['pack-invalid', (bytes) => bytes.fill(0xff, -4)],
    ['pack-invalid', (bytes) => bytes.fill(0, -4)],
  ];
  for (const [code, change] of changes) {
    const { storage, name } = await storedPack(change);
    await expect(readPackHeader({ storage, sealer }, name)).rejects.toMatchObject({ code });
  }
});

test('a missing pack is named as missing', async () => {
  await expect(readPackHeader({ storage: new MemoryStorage(), sealer }, 'a'.repeat(64))).rejects.toMatchObject({ code: 'file-not-found' });
});
