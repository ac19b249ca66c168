/**
 * Stored texts with bytes flipped, inserted, deleted and repeated, sealed anew with the real key: each is answered with an error
 * for people or a reported problem, never with a defect. fast-check prints the seed of a failure.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { executeCheck } from '../../src/engine/check/check.ts';
import { planCheck } from '../../src/engine/check/plan.ts';
import { listSnapshot } from '../../src/engine/ls.ts';
import { HoldfastError, toHoldfastError } from '../../src/contract/errors.ts';
import { decodeBlob } from '../../src/repository/blob-codec.ts';
import { parseConfig } from '../../src/repository/config.ts';
import { sha256 } from '../../src/repository/ids.ts';
import { openIndex, openItem } from '../../src/repository/item.ts';
import { parseKeyFile } from '../../src/repository/keys.ts';
import { headerRange, readEntries, writeEntry } from '../../src/repository/pack.ts';
import { readPackHeader } from '../../src/repository/pack-header.ts';
import { readIndex } from '../../src/repository/read-index.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { parseSnapshot } from '../../src/repository/snapshot.ts';
import { parseTree } from '../../src/repository/tree/parse.ts';
import { compress, decompress } from '../../src/repository/zstd.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import type { StoredFile } from '../../src/storage/storage.ts';
import { backup, makeRepository, openRepository, restore, runOptions } from '../support/engine.ts';
import { Forge } from '../support/forge.ts';
import { hasty, inventory } from '../support/hostile.ts';
import { scratch, sharedScratch, tree } from '../support/tree-literal.ts';

interface Edit {
  readonly how: 'flip' | 'set' | 'insert' | 'delete' | 'repeat' | 'cut';
  /** Where, as a fraction of the length. */
  readonly at: number;
  readonly byte: number;
  readonly count: number;
}

/** What JSON is made of is worth more than other bytes. */
const telling = [...Buffer.from('{}[]",:\\-.0189eEntfu/')];

const edits = fc.array(
  fc.record<Edit>({
    how: fc.constantFrom('flip', 'set', 'insert', 'delete', 'repeat', 'cut'),
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    byte: fc.oneof(fc.constantFrom(...telling), fc.integer({ min: 0, max: 255 })),
    count: fc.integer({ min: 1, max: 40 }),
  }),
  { minLength: 1, maxLength: 6 },
);

/** A changed copy; `content` with an edit that changes nothing stays as it is. */
function mutated(content: Uint8Array, list: readonly Edit[]): Buffer {
  let bytes = Buffer.from(content);
  for (const { how, at, byte, count } of list) {
    const place = Math.floor(at * bytes.length);
    const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
    if (how === 'flip' && bytes.length > 0) bytes[place]! ^= 1 << (byte & 7);
    else if (how === 'set' && bytes.length > 0) bytes[place] = byte;
    else if (how === 'insert') bytes = Buffer.concat([before, Buffer.alloc(count, byte), after]);
    else if (how === 'delete') bytes = Buffer.concat([before, after.subarray(count)]);
    else if (how === 'repeat') bytes = Buffer.concat([before, after.subarray(0, count), after]);
    else if (how === 'cut') bytes = Buffer.from(before);
  }
  return bytes;
}

/** Fails for any error that is a defect; returns the code of one that is not. */
async function answer(act: () => unknown): Promise<string | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code === 'internal') throw error;
    return error.code;
  }
}

const base = sharedScratch('mutations');
const storage = new MemoryStorage();
let repository: Repository;
let forge: Forge;

beforeAll(async () => {
  const source = tree(join(base, 'source'), {
    docs: { 'a.txt': 'alpha', 'b.txt': 'beta', deeper: { 'c.txt': 'gamma' } },
    empty: {},
    'd.bin': 'delta'.repeat(1000),
  });
  repository = await makeRepository(storage);
  forge = new Forge(repository);
  await backup(repository, source, hasty);
});

const filesOf = (kind: StoredFile['kind']): StoredFile[] => storage.files().filter((file) => file.kind === kind);

/** The text of the only file of a kind. */
async function textOf(kind: 'snapshot' | 'index' | 'config' | 'key'): Promise<Buffer> {
  const bytes = Buffer.from(await storage.load(filesOf(kind)[0]!));
  return kind === 'key' ? bytes : kind === 'index' ? openIndex(repository.sealer, bytes) : openItem(repository.sealer, bytes);
}

/** The text of a tree with everything that a node can have. */
const richTree = (): Buffer =>
  Buffer.from(
    `{"nodes":[${[
      '{"name":"a\\\\n","type":"dir","mode":2147484141,"mtime":"2026-01-02T03:04:05.123456789+01:00","atime":"2026-01-02T03:04:05Z","ctime":"2026-01-02T03:04:05Z","uid":0,"gid":0,"content":null,"subtree":"' +
        'ab'.repeat(32) +
        '"}',
      '{"name":"b","type":"file","mode":420,"mtime":"2026-01-02T03:04:05Z","atime":"2026-01-02T03:04:05Z","ctime":"2026-01-02T03:04:05Z","uid":1,"gid":2,"user":"u","group":"g","inode":18446744073709551615,"device_id":66,"size":5,"links":1,"extended_attributes":[{"name":"user.x","value":"AAEC"}],"content":["' +
        'cd'.repeat(32) +
        '"]}',
      '{"name":"c\\\\u00e9","type":"symlink","mtime":"2026-01-02T03:04:05Z","atime":"2026-01-02T03:04:05Z","ctime":"2026-01-02T03:04:05Z","uid":0,"gid":0,"linktarget":"x","linktarget_raw":"/w==","content":null,"generic_attributes":{"windows.file_attributes":32}}',
    ].join(',')}]}\n`,
  );

describe('each reader of stored bytes', () => {
  it('answers changed bytes with a value or an error for people', async () => {
    const header = Buffer.alloc(200);
    let end = 0;
    for (const [type, plain] of [
      ['data', 0],
      ['tree', 9],
      ['data', 7],
    ] as const)
      end = writeEntry(header, end, type, 100, plain, sha256(Buffer.from(type)));
    const plain = Buffer.from('some text that compresses, some text that compresses, some text that compresses');
    const frame = compress(plain);
    const nothing = { pack: () => {}, blob: () => {} };
    const readers: [string, Buffer, (bytes: Buffer) => unknown][] = [
      ['tree', richTree(), (bytes) => parseTree(bytes)],
      ['index', await textOf('index'), (bytes) => readIndex(bytes, nothing)],
      ['snapshot', await textOf('snapshot'), (bytes) => parseSnapshot('ab'.repeat(32), bytes)],
      ['config', await textOf('config'), parseConfig],
      ['key', await textOf('key'), parseKeyFile],
      ['header', header.subarray(0, end), (bytes) => readEntries(bytes, () => {})],
      ['tail', Buffer.of(200, 0, 0, 0), (bytes) => headerRange(Buffer.concat([bytes, Buffer.alloc(4)]).subarray(0, 4), 1000)],
      ['frame', frame, (bytes) => expect(decompress(bytes, 100).length).toBeLessThanOrEqual(100)],
      ['blob', forge.seal(frame), (bytes) => decodeBlob(repository.sealer, bytes, sha256(plain), plain.length, 'data')],
      ['sealed item', forge.seal(Buffer.concat([Buffer.of(2), frame])), (bytes) => openItem(repository.sealer, bytes)],
      ['item', Buffer.concat([Buffer.of(2), frame]), (bytes) => openItem(repository.sealer, forge.seal(bytes))],
    ];
    for (const [name, good, read] of readers) {
      await answer(() => read(Buffer.from(good)));
      await fc.assert(
        fc.asyncProperty(edits, async (list) => {
          const bytes = mutated(good, list);
          const code = await answer(() => read(bytes));
          // What is authenticated or named by its hash never passes.
          if ((name === 'blob' || name === 'sealed item') && !bytes.equals(good)) expect(code).toBe('item-tampered');
        }),
        { numRuns: 1500 },
      );
    }
  });
});

/** All reading verbs, one after the other; what each throws is looked at, and that nothing outside the target is touched. */
async function tryEverything(opened: Repository): Promise<void> {
  const outside = scratch('mutations');
  const target = join(outside, 'target');
  mkdirSync(target);
  writeFileSync(join(outside, 'victim'), 'untouched');
  const before = inventory(outside, target);
  const options = runOptions(hasty);
  await answer(() => restore(opened, target, { ...hasty, delete: true }));
  await answer(async () =>
    listSnapshot(opened, { snapshot: await opened.findSnapshot('latest'), recursive: true }, runOptions(hasty), () => {}),
  );
  await answer(async () => executeCheck(opened, await planCheck(opened, { readData: 'all' }), options));
  expect(inventory(outside, target)).toEqual(before);
}

/** Puts `bytes` in the place of a file while `act` runs. */
async function instead(file: StoredFile, bytes: Uint8Array, act: () => Promise<void>): Promise<void> {
  const good = await storage.load(file);
  storage.tamper(file, () => bytes);
  try {
    await act();
  } finally {
    storage.tamper(file, () => good);
  }
}

const runs = { numRuns: 12 } as const;

describe('every verb that reads', () => {
  it.each(['snapshot', 'index'] as const)('answers a changed %s, sealed anew, with an error for people or a problem', async (kind) => {
    const [file] = filesOf(kind);
    const text = await textOf(kind);
    await fc.assert(
      fc.asyncProperty(edits, (list) => instead(file!, forge.seal(mutated(text, list)), () => tryEverything(repository))),
      runs,
    );
  });

  it.each(['snapshot', 'index', 'pack'] as const)(
    'answers a changed %s, as it is stored, with an error for people or a problem',
    async (kind) => {
      for (const file of filesOf(kind)) {
        const bytes = await storage.load(file);
        await fc.assert(
          fc.asyncProperty(edits, (list) => instead(file, mutated(bytes, list), () => tryEverything(repository))),
          { numRuns: 6 },
        );
      }
    },
  );

  it('answers trees of changed text with an error for people or a problem', async () => {
    const snapshot = filesOf('snapshot')[0]!;
    const { length } = filesOf('index');
    await fc.assert(
      fc.asyncProperty(edits, async (list) => {
        const own = new Forge(repository);
        const tree = own.tree(mutated(richTree(), list).toString('latin1'), { compressed: true });
        await own.index();
        const text = JSON.stringify({ ...(await repository.snapshot(snapshot.name)), tree });
        await instead(snapshot, forge.seal(Buffer.from(text)), () => tryEverything(repository));
      }),
      runs,
    );
    expect(filesOf('index').length).toBeGreaterThan(length);
  });

  it('answers a changed lock with an error for people, or takes no notice', async () => {
    const lock: StoredFile = { kind: 'lock', name: 'ab'.repeat(32) };
    const text = Buffer.from('{"time":"2020-01-02T03:04:05Z","exclusive":true,"hostname":"h","username":"u","pid":1}');
    await fc.assert(
      fc.asyncProperty(edits, async (list) => {
        storage.tamper(lock, () => forge.seal(mutated(text, list)));
        await answer(() => restore(repository, scratch('mutations'), hasty));
        storage.tamper(lock, () => undefined);
      }),
      runs,
    );
  });

  it.each(['config', 'key'] as const)('answers a changed %s with an error for people, or opens', async (kind) => {
    const file: StoredFile = filesOf(kind)[0]!;
    const text = await textOf(kind);
    await fc.assert(
      fc.asyncProperty(edits, (list) => {
        const bytes = mutated(text, list);
        return instead(file, kind === 'key' ? bytes : forge.seal(bytes), async () => void (await answer(() => openRepository(storage))));
      }),
      { numRuns: 40 },
    );
  });

  it('a pack whose header was changed and sealed anew is refused when it is to be taken over', async () => {
    const [pack] = filesOf('pack');
    const bytes = Buffer.from(await storage.load(pack!));
    const length = bytes.readUInt32LE(bytes.length - 4);
    const body = bytes.subarray(0, bytes.length - 4 - length);
    const header = Buffer.from(await readPackHeader(repository, pack!.name));
    await fc.assert(
      fc.asyncProperty(edits, async (list) => {
        const sealed = forge.seal(mutated(header, list));
        const tail = Buffer.alloc(4);
        tail.writeUInt32LE(sealed.length);
        await instead(pack!, Buffer.concat([body, sealed, tail]), async () => {
          await answer(() => readPackHeader(repository, pack!.name));
          await tryEverything(repository);
        });
      }),
      { numRuns: 10 },
    );
  });
});

it('a defect would not be mistaken for an answer', async () => {
  await expect(answer(() => (undefined as unknown as { x: number }).x)).rejects.toBeInstanceOf(TypeError);
  await expect(answer(() => Promise.reject(toHoldfastError(new Error('x'))))).rejects.toMatchObject({ code: 'internal' });
});
