import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HoldfastError } from '../../src/contract/errors.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { leastCost } from '../../src/repository/keys.ts';
import { holdsRepository, Repository } from '../../src/repository/repository.ts';
import type { SnapshotFields } from '../../src/repository/snapshot.ts';
import { FaultyStorage } from '../../src/storage/faulty.ts';
import { RetryingStorage } from '../../src/storage/retrying.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import type { ListedFile, Storage } from '../../src/storage/storage.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { Restic } from '../support/restic.ts';

const owner = { username: 'user', hostname: 'host' };
const clock = new FakeClock();
const init = (storage: Storage, polynomial?: string): Promise<Repository> =>
  Repository.init(storage, 'pw', owner, clock, { cost: leastCost, polynomial });
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: HoldfastError) => error.code,
  );
const at = (day: number, tree = 'b'.repeat(64)): SnapshotFields => ({
  time: `2026-01-${String(day).padStart(2, '0')}T00:00:00Z`,
  tree,
  paths: ['/a'],
});

/** An initialised storage; each test works on a copy. */
let made: MemoryStorage;
beforeAll(async () => {
  made = new MemoryStorage();
  await init(made);
});

async function open(): Promise<{ memory: MemoryStorage; storage: FaultyStorage; repository: Repository }> {
  const memory = made.clone();
  const storage = new FaultyStorage(memory);
  return { memory, storage, repository: await Repository.open(storage, 'pw') };
}

describe('making a repository', () => {
  test('writes the key, then the config, and nothing else', async () => {
    expect(made.operations.flatMap((operation) => (operation.kind === 'save' ? [operation.file.kind] : []))).toEqual(['key', 'config']);
    expect(await holdsRepository(made)).toBe(true);
  });

  test('takes over another polynomial, so that both cut files alike', async () => {
    const first = await Repository.open(made, 'pw');
    const second = await init(new MemoryStorage(), first.config.chunker_polynomial);
    expect(second.config.chunker_polynomial).toBe(first.config.chunker_polynomial);
    expect(second.config.id).not.toBe(first.config.id);
    expect(second.key).not.toEqual(first.key);
    const empty = new MemoryStorage();
    expect(await codeOf(init(empty, '3'))).toBe('bad-polynomial');
    expect(empty.mutations).toBe(0);
  });

  test.each(['config', 'key', 'snapshot'] as const)('is refused where there is a %s, which stays as it is', async (kind) => {
    const storage = new MemoryStorage();
    await storage.save({ kind, name: kind === 'config' ? '' : 'a'.repeat(64) }, [Buffer.from('precious')]);
    const before = storage.dump();
    await expect(init(storage)).rejects.toMatchObject({ code: 'repository-exists' });
    expect(storage.dump()).toEqual(before);
  });

  test('that fails half way can be tried again', async () => {
    for (const kind of ['key', 'config'] as const) {
      for (const when of ['before', 'after'] as const) {
        const memory = new MemoryStorage();
        const storage = new FaultyStorage(memory, {
          faults: [{ at: { call: 'save', kind }, effect: { do: 'fail', code: 'storage-full', when } }],
        });
        expect(await codeOf(init(storage))).toBe('storage-full');
        // What may have been stored all the same is never written over.
        const again = await codeOf(init(storage));
        expect(again).toBe(kind === 'config' && when === 'after' ? 'repository-exists' : 'done');
        await Repository.open(memory, 'pw');
        expect(
          memory
            .files()
            .map((file) => file.kind)
            .sort(),
        ).toEqual(['config', 'key']);
      }
    }
  });

  test('with a storage that fails while looking is no reason to write', async () => {
    const memory = new MemoryStorage();
    for (const call of ['size', 'list'] as const) {
      const storage = new FaultyStorage(memory, { faults: [{ at: { call }, effect: { do: 'fail', code: 'storage-gone' } }] });
      expect(await codeOf(init(storage))).toBe('storage-gone');
    }
    expect(memory.mutations).toBe(0);
  });
});

describe('opening', () => {
  test('tells what is wrong: nothing there, another password, a damaged config, another version', async () => {
    expect(await codeOf(Repository.open(new MemoryStorage(), 'pw'))).toBe('repository-not-found');
    expect(await codeOf(Repository.open(made, 'PW'))).toBe('wrong-password');
    expect(await codeOf(Repository.open(made, ''))).toBe('wrong-password');
    const config = { kind: 'config', name: '' } as const;
    for (const change of [
      (bytes: Uint8Array) => bytes.fill(1, 20, 21),
      (bytes: Uint8Array) => bytes.subarray(0, 40),
      () => new Uint8Array(0),
    ]) {
      const damaged = made.clone();
      damaged.tamper(config, change);
      expect(await codeOf(Repository.open(damaged, 'pw'))).toBe('config-invalid');
    }
    const keyless = made.clone();
    for (const file of keyless.files()) if (file.kind === 'key') await keyless.remove(file);
    expect(await codeOf(Repository.open(keyless, 'pw'))).toBe('wrong-password');
  });

  test('that fails leaves no try behind: nothing is asked, or told, after it', async () => {
    const away = { at: { times: Number.POSITIVE_INFINITY }, effect: { do: 'fail', code: 'server-busy' } } as const;
    const config = new FaultyStorage(made, { faults: [{ ...away, at: { ...away.at, kind: 'config' } }] });
    const keys = new FaultyStorage(made, { faults: [{ ...away, at: { ...away.at, kind: 'key' } }] });
    const both = new FaultyStorage(made, { faults: [away] });
    for (const storage of [config, keys, both]) {
      for (const random of [0, 0.5, 0.99]) {
        let told = 0;
        const draws = [0, random, 0.5];
        const limits = { firstWaitMs: 4, totalWaitMs: 20 };
        const retrying = new RetryingStorage(storage, {
          clock: systemClock,
          limits,
          random: () => draws[told % 3],
          onRetry: () => told++,
        });
        expect(await codeOf(Repository.open(retrying, 'pw'))).toBe('server-busy');
        const after = [told, storage.calls.length];
        await systemClock.sleep(50);
        expect([told, storage.calls.length]).toEqual(after);
      }
    }
  });

  test('refuses a key of another repository: its config is not ours', async () => {
    const other = new MemoryStorage();
    const { keyId } = await init(other);
    const mixed = made.clone();
    for (const file of mixed.files()) if (file.kind === 'key') await mixed.remove(file);
    await mixed.save({ kind: 'key', name: keyId }, [await other.load({ kind: 'key', name: keyId })]);
    expect(await codeOf(Repository.open(mixed, 'pw'))).toBe('config-invalid');
  });
});

describe('items', () => {
  test('are stored under the hash of their bytes and read back', async () => {
    const { repository } = await open();
    const name = await repository.saveItem('index', Buffer.from('{"packs":[]}'));
    expect((await repository.loadItem('index', name)).toString()).toBe('{"packs":[]}');
    expect(await repository.names('index')).toEqual([name]);
  });

  test('that were damaged are named in the error', async () => {
    const { memory, repository } = await open();
    const name = await repository.saveItem('snapshot', Buffer.from('{}'));
    memory.tamper({ kind: 'snapshot', name }, (bytes) => bytes.fill(9, 20, 22));
    await expect(repository.loadItem('snapshot', name)).rejects.toMatchObject({
      code: 'item-tampered',
      message: expect.stringContaining(`snapshot ${name.slice(0, 12)}`) as string,
    });
  });
});

describe('snapshots', () => {
  test('are listed oldest first, whatever order the storage lists them in', async () => {
    const { repository } = await open();
    const ids: string[] = [];
    for (const day of [9, 3, 27, 1]) ids.push(await repository.saveSnapshot(at(day)));
    const [nine, three, twentySeven, one] = ids;
    expect((await repository.snapshots()).map(({ id }) => id)).toEqual([one, three, nine, twentySeven]);
    // The same moment in another zone, later in the alphabet.
    const zone = await repository.saveSnapshot({ ...at(2), time: '2026-01-02T23:00:00-05:00' });
    expect((await repository.snapshots()).map(({ id }) => id)).toEqual(
      [one, three, zone, nine, twentySeven].sort((a, b) => order(a!) - order(b!)),
    );
    function order(id: string): number {
      return id === zone ? Date.parse('2026-01-03T04:00:00Z') : Date.parse(at([9, 3, 27, 1][ids.indexOf(id)]!).time);
    }
  });

  test('are found by ID, by a unique beginning, and the newest by "latest"', async () => {
    const { repository } = await open();
    const first = await repository.saveSnapshot(at(5));
    const second = await repository.saveSnapshot(at(4));
    for (const wanted of [first, first.slice(0, 12)]) expect((await repository.findSnapshot(wanted)).id).toBe(first);
    expect((await repository.findSnapshot(second.slice(0, 20))).id).toBe(second);
    expect((await repository.findSnapshot('latest')).id).toBe(first);
  });

  test('are never guessed: an ambiguous beginning, an unknown one, and what is no ID at all are refused', async () => {
    const { memory, repository } = await open();
    const id = await repository.saveSnapshot(at(5));
    const content = await memory.load({ kind: 'snapshot', name: id });
    const twin = id.slice(0, 63) + (id.endsWith('0') ? '1' : '0');
    await memory.save({ kind: 'snapshot', name: twin }, [content]);
    expect(await codeOf(repository.findSnapshot(id.slice(0, 8)))).toBe('snapshot-ambiguous');
    expect((await repository.findSnapshot(id)).id).toBe(id);
    for (const wanted of ['', 'xyz', 'LATEST', id.toUpperCase(), `${id}0`, '..', `${id.slice(0, 8)}*`, 'f'.repeat(64), '0'.repeat(63)])
      expect(await codeOf(repository.findSnapshot(wanted)), wanted).toBe('snapshot-not-found');
  });

  test('of an empty repository: there is no latest', async () => {
    const { repository } = await open();
    expect(await repository.snapshots()).toEqual([]);
    await expect(repository.findSnapshot('latest')).rejects.toMatchObject({ code: 'snapshot-not-found', context: { snapshot: 'latest' } });
  });

  test('that vanish while they are listed are passed over, and sought ones are not found', async () => {
    const { storage, repository } = await open();
    const id = await repository.saveSnapshot(at(5));
    const ghost: ListedFile = { name: 'c'.repeat(64), size: 300 };
    storage.script([
      { at: { call: 'list', kind: 'snapshot', times: 9 }, effect: { do: 'change-list', change: (files) => [ghost, ...files] } },
    ]);
    expect((await repository.snapshots()).map((snapshot) => snapshot.id)).toEqual([id]);
    expect((await repository.findSnapshot('latest')).id).toBe(id);
    for (const wanted of ['cccc', ghost.name]) expect(await codeOf(repository.findSnapshot(wanted))).toBe('snapshot-not-found');
  });

  test('that are damaged are reported one by one, or end the listing', async () => {
    const { memory, repository } = await open();
    const good = await repository.saveSnapshot(at(1));
    const damaged = await repository.saveSnapshot(at(2));
    const invalid = await repository.saveItem('snapshot', Buffer.from('{"time":"x"}'));
    memory.tamper({ kind: 'snapshot', name: damaged }, (bytes) => bytes.subarray(0, 50));
    expect(['item-tampered', 'snapshot-invalid']).toContain(await codeOf(repository.snapshots()));
    const problems = new Map<string, string>();
    expect((await repository.snapshots((id, error) => problems.set(id, error.code))).map(({ id }) => id)).toEqual([good]);
    expect(problems).toEqual(
      new Map([
        [damaged, 'item-tampered'],
        [invalid, 'snapshot-invalid'],
      ]),
    );
    expect((await repository.findSnapshot('latest')).id).toBe(good);
    expect(await codeOf(repository.findSnapshot(damaged.slice(0, 30)))).toBe('item-tampered');
  });

  test('on a storage that fails are an error, not an empty list', async () => {
    const { storage, repository } = await open();
    await repository.saveSnapshot(at(1));
    storage.script([{ at: { call: 'list', kind: 'snapshot' }, effect: { do: 'break-list', after: 0, code: 'storage-gone' } }]);
    expect(await codeOf(repository.snapshots(() => {}))).toBe('storage-gone');
  });
});

describe('restic', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-repository-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('lists our snapshots as we wrote them', async () => {
    const repository = await init(new LocalStorage(folder));
    const fields: SnapshotFields = {
      ...at(5),
      hostname: 'hôst',
      username: 'u',
      tags: ['a', 'b'],
      excludes: ['<&>'],
      program_version: 'holdfast',
    };
    const id = await repository.saveSnapshot(fields);
    expect(await new Restic(folder, 'pw').snapshots()).toMatchObject([{ ...fields, id }]);
  });
});
