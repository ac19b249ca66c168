/**
 * The conformance suite of every storage: each promise of src/storage/storage.ts. A new storage's test is its set-up plus
 * a call of {@link describeStorage}.
 */

import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { HoldfastError } from '../../src/contract/errors.ts';
import { configFile, type FileKind, fileKinds, type ListedFile, type Storage, type StoredFile } from '../../src/storage/storage.ts';

export interface StorageUnderTest {
  /** Empty, and made ready with `create` by the suite. */
  readonly storage: Storage;
  /** For a storage that only reads: another one on the same place, through which the suite writes. */
  readonly writer?: Storage;
  /** Another instance on the same place, as another process would open it. Closed by the suite. */
  readonly reopen?: () => Promise<Storage>;
  /** The server behind it shows the beginning of a file while the rest is on its way. */
  readonly showsGrowing?: boolean;
  /** Called last, with everything closed. */
  readonly cleanUp?: () => Promise<void>;
}

export const sha256 = (...parts: readonly Uint8Array[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

/** A pack, or a file of another kind, with the name that belongs to this content. */
export const fileFor = (content: Uint8Array, kind: FileKind = 'pack'): StoredFile =>
  kind === 'config' ? { kind, name: '' } : { kind, name: sha256(content) };

export const listAll = async (storage: Storage, kind: FileKind): Promise<ListedFile[]> => {
  const listed: ListedFile[] = [];
  for await (const file of storage.list(kind)) listed.push(file);
  return listed.sort((a, b) => (a.name < b.name ? -1 : 1));
};

/** The error's code; a call that succeeds or throws anything but a HoldfastError fails the test. */
export const codeOf = async (call: Promise<unknown>): Promise<string> => (await errorOf(call)).code;

/** The error itself, else as {@link codeOf}. */
export async function errorOf(call: Promise<unknown>): Promise<HoldfastError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
  throw new Error('the call succeeded');
}

const missing: StoredFile = { kind: 'pack', name: 'ab'.repeat(32) };

/** What is stored, by kind and name: `pack/0a1b…`. */
type Model = Map<string, Buffer>;
type Call = 'save' | 'replace' | 'remove' | 'load' | 'size' | 'list';

/** Names belong to contents: some servers refuse a file whose name is not its hash. */
const modelContents = ['', 'a', 'some more bytes', 'x'.repeat(50)].map((text) => Buffer.from(text));

/** What a call on the storage gave: its result in a comparable form, or the code of its error. */
async function outcome(storage: Storage, writer: Storage, call: Call, file: StoredFile, content: Buffer): Promise<unknown> {
  try {
    if (call === 'save') return await writer.save(file, [content]);
    if (call === 'replace') return await writer.replaceConfig!([content]);
    if (call === 'remove') return await writer.remove(file);
    if (call === 'load') return Buffer.from(await storage.load(file)).toString();
    if (call === 'size') return await storage.size(file);
    return await listAll(storage, file.kind);
  } catch (error) {
    return error instanceof HoldfastError ? error.code : error;
  }
}

/** What the call should give, and its effect on the model. */
function modelOutcome(model: Model, call: Call, file: StoredFile, content: Buffer): unknown {
  const key = call === 'replace' ? 'config/' : `${file.kind}/${file.name}`;
  const held = model.get(key);
  if (call === 'save') return held ? 'file-exists' : void model.set(key, content);
  if (call === 'list') {
    const listed = Array.from(model, ([each, { length }]) => ({ kind: each.split('/')[0], name: each.split('/')[1]!, size: length }));
    return listed.flatMap(({ kind, ...rest }) => (kind === file.kind ? [rest] : [])).sort((a, b) => (a.name < b.name ? -1 : 1));
  }
  if (!held) return 'file-not-found';
  if (call === 'replace') return void model.set(key, content);
  if (call === 'remove') return void model.delete(key);
  return call === 'size' ? held.length : held.toString();
}

export function describeStorage(name: string, make: () => Promise<StorageUnderTest>): void {
  describe(`${name}`, () => {
    let made: StorageUnderTest | undefined;
    const opened: Storage[] = [];

    async function ready(): Promise<{ storage: Storage; writer: Storage; again: () => Promise<Storage> }> {
      made = await make();
      const { storage, writer = storage, reopen } = made;
      opened.push(storage, writer);
      await writer.create();
      const again = async (): Promise<Storage> => {
        if (!reopen) return storage;
        const other = await reopen();
        opened.push(other);
        return other;
      };
      return { storage, writer, again };
    }

    afterEach(async () => {
      for (const storage of new Set(opened)) await storage.close();
      opened.length = 0;
      await made?.cleanUp?.();
      made = undefined;
    });

    test('says where it is', async () => {
      const { storage } = await ready();
      expect(storage.location).not.toBe('');
    });

    test('can be made ready twice, which harms nothing', async () => {
      const { storage, writer } = await ready();
      const content = randomBytes(100);
      await writer.save(fileFor(content), [content]);
      await writer.create();
      expect(sha256(await storage.load(fileFor(content)))).toBe(fileFor(content).name);
    });

    test('is empty at first', async () => {
      const { storage } = await ready();
      for (const kind of fileKinds) expect(await listAll(storage, kind)).toEqual([]);
    });

    test.each(fileKinds)('gives back, sizes, lists and removes a %s', async (kind) => {
      const { storage, writer, again } = await ready();
      const content = randomBytes(1000);
      const file = fileFor(content, kind);
      await writer.save(file, [content]);
      for (const each of [storage, await again()]) {
        expect(Buffer.from(await each.load(file)).equals(content)).toBe(true);
        expect(await each.size(file)).toBe(1000);
        for (const other of fileKinds) expect(await listAll(each, other)).toEqual(other === kind ? [{ name: file.name, size: 1000 }] : []);
      }
      await writer.remove(file);
      for (const each of [storage, await again()]) {
        expect(await listAll(each, kind)).toEqual([]);
        expect(await codeOf(each.load(file))).toBe('file-not-found');
        expect(await codeOf(each.size(file))).toBe('file-not-found');
      }
      expect(await codeOf(writer.remove(file))).toBe('file-not-found');
      await writer.save(file, [content]);
      expect(await storage.size(file)).toBe(1000);
    });

    test('keeps kinds apart that have a file of the same name', async () => {
      const { storage, writer } = await ready();
      const kinds = fileKinds.filter((kind) => kind !== 'config');
      const content = Buffer.from('of every kind');
      for (const kind of kinds) {
        expect(await codeOf(storage.size(fileFor(content, kind)))).toBe('file-not-found');
        await writer.save(fileFor(content, kind), [content]);
      }
      for (const kind of kinds) expect(Buffer.from(await storage.load(fileFor(content, kind))).equals(content)).toBe(true);
      await writer.remove(fileFor(content, 'index'));
      expect(await codeOf(storage.size(fileFor(content, 'index')))).toBe('file-not-found');
      expect(await storage.size(fileFor(content, 'snapshot'))).toBe(content.length);
    });

    test('tells a missing file of every kind', async () => {
      const { storage, writer } = await ready();
      for (const kind of fileKinds) {
        const file = kind === 'config' ? fileFor(Buffer.of(), kind) : { kind, name: missing.name };
        expect(await codeOf(storage.load(file))).toBe('file-not-found');
        expect(await codeOf(storage.load(file, { offset: 5, length: 5 }))).toBe('file-not-found');
        expect(await codeOf(storage.size(file))).toBe('file-not-found');
        expect(await codeOf(writer.remove(file))).toBe('file-not-found');
      }
    });

    test('keeps an empty file, saved as no part or as empty parts', async () => {
      const { storage, writer } = await ready();
      const files: StoredFile[] = [fileFor(Buffer.alloc(0)), fileFor(Buffer.alloc(0), 'lock')];
      await writer.save(files[0]!, []);
      await writer.save(files[1]!, [Buffer.alloc(0), new Uint8Array(0)]);
      for (const file of files) {
        expect(await storage.size(file)).toBe(0);
        expect((await storage.load(file)).byteLength).toBe(0);
        expect(await listAll(storage, file.kind)).toEqual([{ name: file.name, size: 0 }]);
        expect(await codeOf(storage.load(file, { offset: 0, length: 1 }))).toBe('file-short');
      }
    });

    test('joins parts in order, empty ones and views of larger buffers among them', async () => {
      const { storage, writer } = await ready();
      const whole = randomBytes(100);
      const parts = [
        whole.subarray(0, 10),
        Buffer.alloc(0),
        whole.subarray(10, 11),
        new Uint8Array(whole.subarray(11, 60)),
        whole.subarray(60),
      ];
      await writer.save(fileFor(whole), parts);
      expect(Buffer.from(await storage.load(fileFor(whole))).equals(whole)).toBe(true);
    });

    test('keeps a file of 20 MB made of 5,000 parts', async () => {
      const { storage, writer } = await ready();
      const whole = randomBytes(20_000_000);
      const parts = Array.from({ length: 5000 }, (_, n) => whole.subarray(n * 4000, (n + 1) * 4000));
      await writer.save(fileFor(whole), parts);
      expect(await storage.size(fileFor(whole))).toBe(20_000_000);
      expect(sha256(await storage.load(fileFor(whole)))).toBe(fileFor(whole).name);
      const range = await storage.load(fileFor(whole), { offset: 12_345_678, length: 4_000_001 });
      expect(Buffer.from(range).equals(whole.subarray(12_345_678, 16_345_679))).toBe(true);
    });

    test('gives exactly the range asked for', async () => {
      const { storage, writer } = await ready();
      const whole = randomBytes(300);
      const file = fileFor(whole);
      await writer.save(file, [whole]);
      for (const [offset, length] of [
        [0, 300],
        [0, 1],
        [299, 1],
        [1, 298],
        [150, 150],
        [0, 0],
        [150, 0],
        [300, 0],
      ] as const) {
        const bytes = await storage.load(file, { offset, length });
        expect(bytes.byteLength).toBe(length);
        expect(Buffer.from(bytes).equals(whole.subarray(offset, offset + length))).toBe(true);
      }
    });

    test('fails rather than give fewer bytes than asked for', async () => {
      const { storage, writer } = await ready();
      const file = fileFor(Buffer.from('ten bytes!'));
      await writer.save(file, [Buffer.from('ten bytes!')]);
      for (const [offset, length] of [
        [0, 11],
        [9, 2],
        [10, 1],
        [1000, 1],
        [0, 2 ** 45],
        [2 ** 45, 1],
      ] as const)
        expect(await codeOf(storage.load(file, { offset, length }))).toBe('file-short');
    });

    test('refuses a range that is none', async () => {
      const { storage, writer } = await ready();
      const file = fileFor(Buffer.from('content'));
      await writer.save(file, [Buffer.from('content')]);
      for (const [offset, length] of [
        [-1, 2],
        [0, -1],
        [0.5, 1],
        [0, Number.NaN],
        [Number.POSITIVE_INFINITY, 1],
        [Number.MAX_SAFE_INTEGER, 1],
      ] as const)
        expect(await codeOf(storage.load(file, { offset, length }))).toBe('internal');
    });

    test('gives bytes that the caller may change', async () => {
      const { storage, writer } = await ready();
      const content = Buffer.from('unchangeable');
      const file = fileFor(content);
      await writer.save(file, [content]);
      (await storage.load(file)).fill(0);
      (await storage.load(file, { offset: 2, length: 3 })).fill(0);
      expect(Buffer.from(await storage.load(file)).toString()).toBe('unchangeable');
    });

    test('does not keep the bytes it was given', async () => {
      const { storage, writer } = await ready();
      const content = Buffer.from('the original');
      const file = fileFor(content);
      await writer.save(file, [content]);
      content.fill(0);
      expect(Buffer.from(await storage.load(file)).toString()).toBe('the original');
    });

    test.each(fileKinds)('refuses to save over an existing %s and keeps it', async (kind) => {
      const { storage, writer, again } = await ready();
      const file = fileFor(Buffer.from('first'), kind);
      await writer.save(file, [Buffer.from('first')]);
      expect(await codeOf(writer.save(file, [Buffer.from('second and longer')]))).toBe('file-exists');
      expect(await codeOf(writer.save(file, []))).toBe('file-exists');
      expect(Buffer.from(await storage.load(file)).toString()).toBe('first');
      expect(await listAll(await again(), kind)).toEqual([{ name: file.name, size: 5 }]);
    });

    test.each(['config', 'pack'] as const)('lets exactly one of many saves of the same %s succeed', async (kind) => {
      const { storage, writer } = await ready();
      // Contents differ only where names do not depend on them.
      const contents = Array.from({ length: 16 }, (_, n) =>
        Buffer.alloc(kind === 'config' ? 10_000 + n : 10_000, kind === 'config' ? n : 7),
      );
      const file = fileFor(contents[0]!, kind);
      const results = await Promise.allSettled(contents.map((content) => writer.save(file, [content])));
      const saved = contents.filter((_, n) => results[n]!.status === 'fulfilled');
      expect(saved).toHaveLength(1);
      const refused = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as unknown);
      for (const reason of refused) expect(reason).toMatchObject({ name: 'HoldfastError', code: 'file-exists' });
      expect(Buffer.from(await storage.load(file)).equals(saved[0]!)).toBe(true);
      expect(await listAll(storage, kind)).toEqual([{ name: file.name, size: saved[0]!.length }]);
    });

    test('shows nothing or the whole file while it is being saved', async () => {
      const { storage, writer } = await ready();
      const growing = made?.showsGrowing === true;
      const content = randomBytes(8_000_000);
      const file = fileFor(content);
      let saving = true;
      const save = writer.save(file, [content]).finally(() => {
        saving = false;
      });
      do {
        for (const { size } of await listAll(storage, 'pack')) expect(growing || size === content.length).toBe(true);
        const seen = await storage.load(file).catch((error: HoldfastError) => error.code);
        if (typeof seen === 'string')
          expect(growing ? ['file-not-found', 'file-short', 'server-not-understood', 'connection-lost'] : ['file-not-found']).toContain(
            seen,
          );
        else expect(content.subarray(0, growing ? seen.byteLength : undefined).equals(seen)).toBe(true);
      } while (saving);
      await save;
      expect(sha256(await storage.load(file))).toBe(file.name);
      expect(await storage.size(file)).toBe(content.length);
    });

    test('keeps many files saved side by side, and lists each once', async () => {
      const { storage, writer, again } = await ready();
      const contents = Array.from({ length: 300 }, (_, n) => Buffer.from(`content ${n}`));
      for (let n = 0; n < contents.length; n += 100)
        await Promise.all(contents.slice(n, n + 100).map((content) => writer.save(fileFor(content), [content])));
      const expected = contents
        .map((content) => ({ name: sha256(content), size: content.length }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
      expect(await listAll(storage, 'pack')).toEqual(expected);
      expect(await listAll(await again(), 'pack')).toEqual(expected);
      const back = await Promise.all(contents.map((content) => storage.load(fileFor(content))));
      expect(back.every((bytes, n) => contents[n]!.equals(bytes))).toBe(true);
      await Promise.all(contents.slice(0, 299).map((content) => writer.remove(fileFor(content))));
      expect(await listAll(storage, 'pack')).toEqual(expected.filter(({ name }) => name === sha256(contents[299]!)));
    });

    test('lets exactly one of several removals of a file succeed', async () => {
      const { writer } = await ready();
      const file = fileFor(Buffer.from('x'), 'lock');
      await writer.save(file, [Buffer.from('x')]);
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => writer.remove(file)));
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const refused = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as unknown);
      for (const reason of refused) expect(reason).toMatchObject({ name: 'HoldfastError', code: 'file-not-found' });
    });

    test('goes on listing when files are removed meanwhile', async () => {
      const { storage, writer } = await ready();
      const contents = Array.from({ length: 150 }, (_, n) => Buffer.from(`${n}`));
      await Promise.all(contents.map((content) => writer.save(fileFor(content, 'snapshot'), [content])));
      let first = true;
      const listed = new Set<string>();
      for await (const { name } of storage.list('snapshot')) {
        expect(listed.has(name)).toBe(false);
        listed.add(name);
        if (first) await Promise.all(contents.slice(0, 140).map((content) => writer.remove(fileFor(content, 'snapshot'))));
        first = false;
      }
      for (const content of contents.slice(140)) expect(listed.has(sha256(content))).toBe(true);
    });

    test('can stop listing early, and list twice at the same time', async () => {
      const { storage, writer } = await ready();
      const contents = Array.from({ length: 5 }, (_, n) => Buffer.from(`${n}`));
      for (const content of contents) await writer.save(fileFor(content), [content]);
      for await (const _ of storage.list('pack')) break;
      const [one, two] = await Promise.all([listAll(storage, 'pack'), listAll(storage, 'pack')]);
      expect(one).toHaveLength(5);
      expect(two).toEqual(one);
    });

    test('refuses names that no file of a repository has', async () => {
      const { storage, writer } = await ready();
      const bad = [
        '',
        'x',
        '..',
        '../config',
        `../${'a'.repeat(61)}`,
        'A'.repeat(64),
        'a'.repeat(63),
        'a'.repeat(65),
        `${'a'.repeat(64)}\n`,
        `${'a'.repeat(63)}\0`,
      ];
      const files: StoredFile[] = [...bad.map((each) => ({ kind: 'pack' as const, name: each })), { kind: 'config', name: missing.name }];
      for (const file of files) {
        expect(await codeOf(writer.save(file, []))).toBe('internal');
        expect(await codeOf(storage.load(file))).toBe('internal');
        expect(await codeOf(storage.size(file))).toBe('internal');
        expect(await codeOf(writer.remove(file))).toBe('internal');
      }
      for (const kind of fileKinds) expect(await listAll(storage, kind)).toEqual([]);
    });

    test('fails every call after it was closed, and may be closed twice', async () => {
      const { storage, writer } = await ready();
      await storage.close();
      await storage.close();
      await writer.close();
      for (const call of [
        () => writer.create(),
        () => writer.save(missing, []),
        () => writer.remove(missing),
        () => storage.load(missing),
        () => storage.size(missing),
        () => listAll(storage, 'pack'),
      ])
        expect(await codeOf(call())).toBe('internal');
    });

    test('names a local file that holds exactly the bytes, where it names one', async () => {
      const { storage, writer } = await ready();
      if (!storage.localPath) return;
      const { readFileSync } = await import('node:fs');
      for (const kind of fileKinds) {
        const content = Buffer.from(`a ${kind}`);
        await writer.save(fileFor(content, kind), [content]);
        expect(readFileSync(storage.localPath(fileFor(content, kind))).equals(content)).toBe(true);
      }
    });

    describe('where it can replace config in one step', () => {
      const [first, second] = [Buffer.from('the first config'), randomBytes(3_000)];

      test('gives it other content, longer or shorter or none, for everybody who looks', async () => {
        const { storage, writer, again } = await ready();
        if (!writer.replaceConfig) return;
        await writer.save(configFile, [first]);
        for (const content of [second, Buffer.from('short'), Buffer.alloc(0), second]) {
          await writer.replaceConfig([content.subarray(0, 3), Buffer.alloc(0), content.subarray(3)]);
          for (const each of [storage, await again()]) {
            expect(Buffer.from(await each.load(configFile)).equals(content)).toBe(true);
            expect(await listAll(each, 'config')).toEqual([{ name: '', size: content.length }]);
          }
        }
        expect(await codeOf(writer.save(configFile, [first]))).toBe('file-exists');
        await writer.remove(configFile);
        await writer.save(configFile, [first]);
      });

      test('leaves every other file as it is, and no trace', async () => {
        const { storage, writer } = await ready();
        if (!writer.replaceConfig) return;
        const kinds = fileKinds.filter((kind) => kind !== 'config');
        const content = randomBytes(100);
        for (const kind of kinds) await writer.save(fileFor(content, kind), [content]);
        await writer.save(configFile, [first]);
        await writer.replaceConfig([second]);
        for (const kind of kinds) expect(await listAll(storage, kind)).toEqual([{ name: fileFor(content).name, size: 100 }]);
        expect((await writer.removeLeftovers?.(Number.POSITIVE_INFINITY)) ?? 0).toBe(0);
      });

      test('makes no config where there is none', async () => {
        const { storage, writer } = await ready();
        if (!writer.replaceConfig) return;
        expect(await codeOf(writer.replaceConfig([second]))).toBe('file-not-found');
        expect(await codeOf(storage.load(configFile))).toBe('file-not-found');
        expect(await listAll(storage, 'config')).toEqual([]);
        await writer.save(configFile, [first]);
        await writer.remove(configFile);
        expect(await codeOf(writer.replaceConfig([second]))).toBe('file-not-found');
      });

      test('does not keep the bytes it was given', async () => {
        const { storage, writer } = await ready();
        if (!writer.replaceConfig) return;
        await writer.save(configFile, [first]);
        const given = Buffer.from('the second config');
        await writer.replaceConfig([given]);
        given.fill(0);
        expect(Buffer.from(await storage.load(configFile)).toString()).toBe('the second config');
      });

      test('shows the old content or the new, whole, while it is being replaced', async () => {
        const { storage, writer, again } = await ready();
        if (!writer.replaceConfig) return;
        const contents = Array.from({ length: 12 }, (_, n) => Buffer.alloc(200_000 + n, n));
        const isWhole = (bytes: Uint8Array): boolean => contents.some((content) => content.equals(bytes));
        await writer.save(configFile, [contents[0]!]);
        let replacing = true;
        const replace = (async () => {
          for (const content of contents) await writer.replaceConfig!([content]);
        })().finally(() => {
          replacing = false;
        });
        const other = await again();
        do {
          for (const each of [storage, other]) expect(isWhole(await each.load(configFile))).toBe(true);
          expect(await listAll(other, 'config')).toHaveLength(1);
        } while (replacing);
        await replace;
        expect(contents.at(-1)!.equals(await other.load(configFile))).toBe(true);
      });

      test('leaves the content of one of several replacements at the same time', async () => {
        const { storage, writer } = await ready();
        if (!writer.replaceConfig) return;
        await writer.save(configFile, [first]);
        const contents = Array.from({ length: 8 }, (_, n) => Buffer.alloc(10_000 + n, n));
        await Promise.all(contents.map((content) => writer.replaceConfig!([content])));
        const left = await storage.load(configFile);
        expect(contents.some((content) => content.equals(left))).toBe(true);
      });

      test('refuses after it was closed', async () => {
        const { writer } = await ready();
        if (!writer.replaceConfig) return;
        await writer.save(configFile, [first]);
        await writer.close();
        expect(await codeOf(writer.replaceConfig([second]))).toBe('internal');
      });
    });

    test('does what a map would do, whatever the order of calls', async () => {
      const { storage, writer } = await ready();
      const calls = ['save', 'remove', 'load', 'size', 'list', ...(writer.replaceConfig ? (['replace'] as const) : [])] as const;
      const call = fc.record({
        do: fc.constantFrom(...calls),
        kind: fc.constantFrom(...fileKinds),
        content: fc.constantFrom(...modelContents),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(call, { maxLength: 30 }), async (calls) => {
          const model: Model = new Map();
          for (const { do: what, kind, content } of calls) {
            const file = fileFor(content, kind);
            expect([what, await outcome(storage, writer, what, file, content)]).toEqual([what, modelOutcome(model, what, file, content)]);
          }
          for (const key of model.keys()) {
            const [kind, name] = key.split('/') as [FileKind, string];
            await writer.remove({ kind, name });
          }
        }),
        { numRuns: 12 },
      );
    });
  });
}
