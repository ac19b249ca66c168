import { linkSync, mkdirSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { compileExcludes } from '../../../src/engine/backup/exclude.ts';
import { RunControl } from '../../../src/platform/cancellation.ts';
import { nextTurn } from '../../../src/platform/clock.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { executeExport } from '../../../src/engine/export/export.ts';
import { writeOutputFile } from '../../../src/engine/export/output-file.ts';
import { backup, makeRepository, openRepository, resticOn, restore, runOptions } from '../../support/engine.ts';
import { exported, plannedExport } from '../../support/exporting.ts';
import { factsOf } from '../../support/file-facts.ts';
import { fileNode, folderNode, Forge, linkNode } from '../../support/forge.ts';
import { buildNastyTree } from '../../support/nasty-tree.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { file, scratch, sharedScratch, symlink, tree } from '../../support/tree-literal.ts';
import { expectSoundZip, pythonZip, readStreamed, sha256Of, unzipTo } from '../../support/zip.ts';

/** What takes minutes is no part of the usual run, which skips nothing. */
const isLong = process.env.HOLDFAST_LONG === '1';

const random = seededRandom(21);
const names = (entries: readonly { readonly name: string }[]): string[] => entries.map(({ name }) => name);

describe('a ZIP of every kind of entry, name and time', () => {
  test('unpacks to what a restore gives, apart from what it says that it cannot hold', async () => {
    const dir = scratch('nasty');
    const source = join(dir, 'source');
    await buildNastyTree(source, { small: true });
    const repository = await makeRepository(join(dir, 'repository'));
    await backup(repository, source);
    const path = Buffer.from(source);
    const { file: zip, result, problems, renamed } = await exported(repository, { path });
    await expectSoundZip(zip);
    const target = join(dir, 'restored');
    await restore(repository, target, { path });
    const unpacked = join(dir, 'unpacked');
    await unzipTo(zip, unpacked);

    const special = problems.map((line) => line.slice(`unsupported: ${source}/`.length)).sort();
    expect(special.length).toBeGreaterThan(0);
    expect(problems.every((line) => line.startsWith(`unsupported: ${source}/special/`))).toBe(true);
    // What the plan says is what is there, whatever it is called.
    const { entries } = await plannedExport(repository, { path });
    const wanted = factsOf(target);
    const found = factsOf(unpacked);
    const unseen = new Set(found.keys());
    const different: string[] = [];
    for (const planned of entries) {
      const own = planned.path.toString('latin1').slice(source.length + 1);
      const name = planned.name.toString('latin1').replace(/\/$/, '');
      const [before, after] = [wanted.get(own), found.get(name)];
      wanted.delete(own);
      unseen.delete(name);
      if (!before || !after) {
        different.push(`${own}: ${before ? 'missing' : 'not restored'}`);
        continue;
      }
      if (before.kind !== after.kind || before.content !== after.content) different.push(`${own}: content`);
      // Nobody can give a link's mode or, with this unzip, time.
      if (before.kind === 'symlink') continue;
      if (before.mode !== after.mode) different.push(`${own}: mode ${after.mode.toString(8)}, not ${before.mode.toString(8)}`);
      const seconds = Number(before.mtimeNs / 10n ** 9n - (before.mtimeNs % 10n ** 9n < 0n ? 1n : 0n));
      const off = Math.abs(Number(after.mtimeNs / 10n ** 9n) - seconds);
      // Of what 32 bits cannot tell, unzip takes the local time to two seconds, before 1970 always; it takes 2100 for a leap year.
      const tellable = seconds >= 0 && seconds < 2 ** 31;
      if (tellable ? off > 0 : seconds > 0 && seconds < 4_100_000_000 && off > 2) different.push(`${own}: time off by ${off} s`);
    }
    expect(different).toEqual([]);
    expect([...unseen]).toEqual([]);
    expect([...wanted.keys()].sort()).toEqual(special);
    expect(renamed.get(`${source}/names/caf\xe9`)).toBe('names/caf%E9');
    expect(renamed.get(`${source}/names/\xff folder\n/\xfe file`)).toBe('names/%FF folder\n/%FE file');
    expect(renamed.get(`${source}/names/back\\slash`)).toBe('names/back%5Cslash');
    expect(result.figures.renamed).toBe(renamed.size);
    expect(result.figures.hardLinked).toBe(8);
    expect(result.figures.withAttributes).toBeGreaterThan(10);
    expect(result.problems).toBe(special.length);
  });

  test('holds each owner, and the time to 100 ns', async () => {
    const dir = scratch('nasty');
    const source = join(dir, 'source');
    await buildNastyTree(source, { small: true });
    const repository = await makeRepository(join(dir, 'repository'));
    await backup(repository, source);
    const { file: zip } = await exported(repository, { path: Buffer.from(source) });
    const entries = new Map((await pythonZip(zip)).map((each) => [each.name, each]));
    const owner = Buffer.from(entries.get('owners/54321-54322')!.extra['7875']!, 'hex');
    expect([owner.readUInt32LE(2), owner.readUInt32LE(7)]).toEqual([54321, 54322]);
    const ns = Buffer.from(entries.get('times/file ns')!.extra['000a']!, 'hex').readBigInt64LE(8);
    expect(ns * 100n - 11_644_473_600n * 10n ** 9n).toBe(1234567890123456700n);
    // Also what unzip does not care for.
    const seconds = Buffer.from(entries.get('times/file 1901')!.extra['5455']!, 'hex').readInt32LE(1);
    expect(seconds).toBe(-2147483648);
    const late = Buffer.from(entries.get('times/file 2106')!.extra['000a']!, 'hex').readBigInt64LE(8);
    expect(late * 100n - 11_644_473_600n * 10n ** 9n).toBe(4294967296999999900n);
  });
});

describe('what is exported', () => {
  let source: string;
  let repository: Repository;
  const dir = sharedScratch('export');

  beforeAll(async () => {
    source = tree(join(dir, 'source'), {
      docs: { 'a.txt': 'a', 'b.jpg': 'b', deep: { 'c.txt': 'c', empty: {} } },
      pictures: { 'd.jpg': 'd', 'e.png': 'e' },
      link: symlink('docs/a.txt'),
      'top.txt': file('top', { mode: 0o640 }),
    });
    repository = await makeRepository(join(dir, 'repository'));
    await backup(repository, source);
  });

  const namesOf = async (settings: Parameters<typeof exported>[1]): Promise<string[]> => {
    const { file: zip, result } = await exported(repository, settings);
    const entries = await pythonZip(zip);
    const { figures } = result;
    expect(figures.files + figures.folders + figures.links).toBe(entries.length);
    // The plan is the same.
    const planned = (await plannedExport(repository, settings)).entries;
    expect(planned.map(({ name }) => name.toString())).toEqual(names(entries));
    return names(entries);
  };

  test('is, with a path, what that folder holds', async () => {
    expect(await namesOf({ path: Buffer.from(source) })).toEqual([
      'docs/',
      'docs/a.txt',
      'docs/b.jpg',
      'docs/deep/',
      'docs/deep/c.txt',
      'docs/deep/empty/',
      'link',
      'pictures/',
      'pictures/d.jpg',
      'pictures/e.png',
      'top.txt',
    ]);
    expect(await namesOf({ path: Buffer.from(`${source}/docs/deep/`) })).toEqual(['c.txt', 'empty/']);
  });

  test('is, without a path, everything with its full path', async () => {
    const own = source.slice(1);
    const all = await namesOf({});
    expect(all).toContain(`${own}/docs/deep/c.txt`);
    expect(all[0]).toBe(`${own.split('/')[0]}/`);
  });

  test('is a single file or link by its name', async () => {
    expect(await namesOf({ path: Buffer.from(`${source}/docs/a.txt`) })).toEqual(['a.txt']);
    expect(await namesOf({ path: Buffer.from(`${source}/link`) })).toEqual(['link']);
  });

  test('is only what is selected, with the folders on the way', async () => {
    const items = ['docs/deep', `${source}/pictures/d.jpg`].map((item) => Buffer.from(item));
    expect(await namesOf({ path: Buffer.from(source), items })).toEqual([
      'docs/',
      'docs/deep/',
      'docs/deep/c.txt',
      'docs/deep/empty/',
      'pictures/',
      'pictures/d.jpg',
    ]);
    await expect(exported(repository, { path: Buffer.from(source), items: [Buffer.from('nope')] })).rejects.toMatchObject({
      code: 'snapshot-path-not-found',
    });
  });

  test('is only what patterns include, with the folders on the way and no others', async () => {
    const include = compileExcludes({ patterns: ['*.jpg'] });
    expect(await namesOf({ path: Buffer.from(source), include })).toEqual(['docs/', 'docs/b.jpg', 'pictures/', 'pictures/d.jpg']);
    const anchored = compileExcludes({ patterns: ['/docs/deep', '/top.txt'] });
    expect(await namesOf({ path: Buffer.from(source), include: anchored })).toEqual([
      'docs/',
      'docs/deep/',
      'docs/deep/c.txt',
      'docs/deep/empty/',
      'top.txt',
    ]);
    expect(await namesOf({ path: Buffer.from(source), include: compileExcludes({ patterns: ['nothing'] }) })).toEqual([]);
  });

  test('is nothing that patterns exclude, also of what others include', async () => {
    const exclude = compileExcludes({ patterns: ['*.txt', '/pictures'] });
    expect(await namesOf({ path: Buffer.from(source), exclude })).toEqual([
      'docs/',
      'docs/b.jpg',
      'docs/deep/',
      'docs/deep/empty/',
      'link',
    ]);
    const include = compileExcludes({ patterns: ['*.jpg'] });
    expect(await namesOf({ path: Buffer.from(source), include, exclude })).toEqual(['docs/', 'docs/b.jpg']);
  });

  test('is the same when it is read as a stream', async () => {
    const { zip, file: path } = await exported(repository, { path: Buffer.from(source) });
    const streamed = readStreamed(zip);
    expect(streamed.every(({ isSound }) => isSound)).toBe(true);
    expect(streamed.map(({ name, content }) => [name, sha256Of(content)])).toEqual(
      (await pythonZip(path)).map(({ name, sha256 }) => [name, sha256]),
    );
  });

  test('comes from a snapshot of restic as well', async () => {
    const restic = resticOn(join(dir, 'repository'));
    await restic.backup([source], { force: true });
    expect(await namesOf({ path: Buffer.from(source) })).toHaveLength(11);
  });
});

describe('content', () => {
  const dir = sharedScratch('content');
  const dense = seededBytes(random, 9 << 20);
  const words = Buffer.from(Array.from({ length: 900_000 }, (_, i) => `line ${i * 7919}`).join('\n'));
  let repository: Repository;
  let source: string;

  beforeAll(async () => {
    source = tree(join(dir, 'source'), {
      'dense.bin': dense,
      'words.txt': words,
      'small dense.bin': dense.subarray(0, 20_000),
      'small words.txt': words.subarray(0, 20_000),
      one: 'x',
      none: '',
      // Dense at its beginning only.
      'mixed.bin': Buffer.concat([dense.subarray(0, 5 << 20), words.subarray(0, 6 << 20)]),
    });
    repository = await makeRepository(join(dir, 'repository'));
    await backup(repository, source);
  });

  const contents = (): [string, string][] => [
    ['dense.bin', sha256Of(dense)],
    ['mixed.bin', sha256Of(Buffer.concat([dense.subarray(0, 5 << 20), words.subarray(0, 6 << 20)]))],
    ['none', sha256Of('')],
    ['one', sha256Of('x')],
    ['small dense.bin', sha256Of(dense.subarray(0, 20_000))],
    ['small words.txt', sha256Of(words.subarray(0, 20_000))],
    ['words.txt', sha256Of(words)],
  ];

  test('is compressed where that gains something, in pieces where it is large', async () => {
    const { file: zip, zip: bytes, result } = await exported(repository, { path: Buffer.from(source) });
    await expectSoundZip(zip);
    const entries = new Map((await pythonZip(zip)).map((each) => [each.name, each]));
    expect([...entries.values()].map(({ name, sha256 }) => [name, sha256])).toEqual(contents());
    expect(entries.get('words.txt')!.compressed).toBeLessThan(words.length / 3);
    expect(entries.get('words.txt')!.streamed).toBe(true);
    expect(entries.get('dense.bin')!.compressed).toBeLessThan(dense.length * 1.001);
    expect(entries.get('mixed.bin')!.compressed).toBeLessThan((5 << 20) * 1.001 + (3 << 20));
    expect(entries.get('small words.txt')!.method).toBe(8);
    for (const name of ['small dense.bin', 'one', 'none']) expect(entries.get(name)).toMatchObject({ method: 0, streamed: false });
    expect(readStreamed(bytes).map(({ name, content, isSound }) => [name, sha256Of(content), isSound])).toEqual(
      contents().map(([name, sha]) => [name, sha, true]),
    );
    expect(result.zipBytes).toBe(bytes.length);
  });

  test('is not compressed when nobody wants that, and can be read as a stream all the same', async () => {
    const { file: zip, zip: bytes } = await exported(repository, { path: Buffer.from(source), stored: true });
    await expectSoundZip(zip);
    const entries = await pythonZip(zip);
    expect(entries.map(({ name, sha256 }) => [name, sha256])).toEqual(contents());
    for (const { size, compressed } of entries) {
      expect(compressed).toBeGreaterThanOrEqual(size);
      expect(compressed).toBeLessThanOrEqual(size * 1.001);
    }
    expect(readStreamed(bytes).every(({ isSound }) => isSound)).toBe(true);
  });

  test('gives the same ZIP however many workers make it', async () => {
    const path = Buffer.from(source);
    const zips = await Promise.all([1, 2, 4].map((threads) => exported(repository, { path, threads })));
    expect(zips[1]!.zip.equals(zips[0]!.zip)).toBe(true);
    expect(zips[2]!.zip.equals(zips[0]!.zip)).toBe(true);
  });

  test('that a repository without compression holds is compressed in the ZIP', async () => {
    const folder = join(scratch('uncompressed'), 'repository');
    const restic = resticOn(folder);
    await restic.init();
    await restic.backup([source], { args: ['--compression', 'off'] });
    const { file: zip } = await exported(await openRepository(folder), { path: Buffer.from(source) });
    const entries = new Map((await pythonZip(zip)).map((each) => [each.name, each]));
    expect([...entries.values()].map(({ name, sha256 }) => [name, sha256])).toEqual(contents());
    expect(entries.get('words.txt')!.compressed).toBeLessThan(words.length / 3);
    expect(entries.get('small words.txt')!.method).toBe(8);
  });

  test('of files with several names is there under each', async () => {
    const place = scratch('links');
    const linked = tree(join(place, 'source'), { first: 'one file' });
    for (const name of ['second', 'third']) linkSync(join(linked, 'first'), join(linked, name));
    const own = await makeRepository(join(place, 'repository'));
    await backup(own, linked);
    const { file: zip, result } = await exported(own, { path: Buffer.from(linked) });
    const entries = await pythonZip(zip);
    expect(entries.map(({ name, sha256 }) => [name, sha256])).toEqual(
      ['first', 'second', 'third'].map((name) => [name, sha256Of('one file')]),
    );
    expect(result.figures.hardLinked).toBe(3);
  });

  test.each(isLong ? [2 ** 32 + 12_345] : [])('of %d bytes is whole', async (size) => {
    const place = scratch('huge');
    const huge = tree(join(place, 'source'), {});
    writeFileSync(join(huge, 'huge'), 'begins');
    truncateSync(join(huge, 'huge'), size);
    writeFileSync(join(huge, 'last'), 'ends');
    const own = await makeRepository(join(place, 'repository'));
    await backup(own, huge);
    for (const stored of [false, true]) {
      const zip = join(place, `huge ${String(stored)}.zip`);
      await writeOutputFile(own, { path: zip, replace: false }, (sink) =>
        executeExport(own, { snapshot: 'latest', path: Buffer.from(huge), stored }, runOptions(), sink),
      );
      await expectSoundZip(zip);
      const entries = await pythonZip(zip);
      expect(entries.map((entry) => [entry.name, entry.size])).toEqual([
        ['huge', size],
        ['last', 4],
      ]);
      expect(entries[1]!.sha256).toBe(sha256Of('ends'));
    }
  });
});

describe('a snapshot that no honest program makes', () => {
  const forged = async (): Promise<Forge> => new Forge(await makeRepository(new MemoryStorage()));

  test('leads nowhere outside, on whatever system it is unpacked', async () => {
    const forge = await forged();
    const evil = forge.data('evil');
    const hostile = ['..\\\\..\\\\evil', 'C:', '...', '.. ', '\\\\\\\\server\\\\share', 'C:\\\\windows'];
    const files = hostile.map((name) => fileNode(name, [evil], { size: 4 })).sort((a, b) => compareNames(a, b));
    await forge.snapshot(forge.tree(files));
    const { file: zip, renamed } = await exported(forge.repository);
    await expectSoundZip(zip);
    const found = names(await pythonZip(zip));
    expect(found).toHaveLength(hostile.length);
    expect(renamed.size).toBe(hostile.length);
    for (const name of found) expect(name).not.toMatch(/\\|^\/|^[A-Za-z]:|^[. ]*$/);
  });

  test('and contradicts itself about sizes is told, and the content is what counts', async () => {
    const forge = await forged();
    const five = forge.data('12345');
    await forge.snapshot(
      forge.tree([
        fileNode('huge', [five], { size: Number.MAX_SAFE_INTEGER }),
        fileNode('right', [five, five], { size: 10 }),
        fileNode('short', [five], { size: 2 }),
      ]),
    );
    const { file: zip, problems } = await exported(forge.repository);
    expect(problems).toEqual(['metadata: /huge', 'metadata: /short']);
    expect((await pythonZip(zip)).map(({ name, size }) => [name, size])).toEqual([
      ['huge', 5],
      ['right', 10],
      ['short', 5],
    ]);
  });

  test('and lies about what a piece of data unfolds to costs that file only', async () => {
    const forge = await forged();
    const lies = [3, 30, 2 ** 26 + 1, 2 ** 32 - 1].map((claimed, i) => forge.data(`AAAAAAAA${i}`, { compressed: claimed }));
    const good = forge.data('good');
    await forge.snapshot(
      forge.tree([...lies.map((id, i) => fileNode(`bad ${i}`, [id, id], { size: 1 })), fileNode('good', [good], { size: 4 })]),
    );
    const { file: zip, problems } = await exported(forge.repository);
    await expectSoundZip(zip);
    expect(names(await pythonZip(zip))).toEqual(['good']);
    expect(problems.filter((line) => line.startsWith('damaged')).sort()).toEqual(lies.map((_, i) => `damaged: /bad ${i}`));
  });

  test('and unfolds without end is refused', async () => {
    const forge = await forged();
    let below = forge.tree([]);
    for (let level = 0; level < 60; level++) below = forge.tree([folderNode('a', below), folderNode('b', below)]);
    await forge.snapshot(below);
    await expect(exported(forge.repository)).rejects.toMatchObject({ code: 'snapshot-too-large' });
  });

  test('and says of a link that it leads nowhere is told', async () => {
    const forge = await forged();
    await forge.snapshot(forge.tree([linkNode('bad', ''), linkNode('good', 'there')]));
    const { file: zip, problems } = await exported(forge.repository);
    expect(problems).toEqual(['damaged: /bad']);
    expect(names(await pythonZip(zip))).toEqual(['good']);
  });
});

describe('a run', () => {
  test('that is cancelled ends with that, also when whoever takes the ZIP never goes on', async () => {
    const dir = scratch('cancel');
    const source = tree(join(dir, 'source'), { 'a.bin': seededBytes(random, 3 << 20) });
    const repository = await makeRepository(join(dir, 'repository'));
    await backup(repository, source);
    const control = new RunControl();
    const stuck = {
      write: () => {
        control.cancel();
        return new Promise<void>(() => {});
      },
    };
    const run = executeExport(repository, { snapshot: 'latest' }, runOptions({ control }), stuck);
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('waits for whoever takes the ZIP, and holds little of it meanwhile', async () => {
    const dir = scratch('slow');
    const source = join(dir, 'source');
    mkdirSync(source);
    for (let i = 0; i < 24; i++) writeFileSync(join(source, `${i}.bin`), seededBytes(random, 3 << 20));
    utimesSync(source, 1, 1);
    const repository = await makeRepository(join(dir, 'repository'));
    await backup(repository, source);
    let written = 0;
    let busy = false;
    let done = 0;
    await executeExport(
      repository,
      { snapshot: 'latest', stored: true },
      { ...runOptions({ threads: 2, onProgress: ({ bytes }) => (done = bytes) }) },
      {
        async write(bytes) {
          // Never two at a time.
          expect(busy).toBe(false);
          busy = true;
          await nextTurn();
          written += bytes.length;
          busy = false;
        },
      },
    );
    expect(written).toBeGreaterThan(24 * (3 << 20));
    expect(done).toBe(24 * (3 << 20));
  });
});

const compareNames = (a: object, b: object): number =>
  Buffer.compare(Buffer.from((a as { name: string }).name), Buffer.from((b as { name: string }).name));
