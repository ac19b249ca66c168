/** What people get wrong: each mistake is told by its own words, and nothing is changed by it. */
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { HoldfastError } from '../../src/contract/errors.ts';
import { Repository } from '../../src/repository/repository.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { backup, makeRepository, openRepository, password, plannedBackup, problemLines, resticOn, restore } from '../support/engine.ts';
import { Forge } from '../support/forge.ts';
import { hasty, inventory } from '../support/hostile.ts';
import { scratch, sharedScratch, tree } from '../support/tree-literal.ts';

/** The code of the error, which must be one for people. */
async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(HoldfastError);
  const { code, message, guidance } = error as HoldfastError;
  expect(`${message} ${guidance}`).not.toMatch(/undefined|\[object|TypeError/);
  return code;
}

const base = sharedScratch('bad-input');
const source = join(base, 'source');
const folder = join(base, 'repository');

beforeAll(async () => {
  tree(source, { 'a.txt': 'a', docs: { 'b.txt': 'b' } });
  await backup(await makeRepository(folder), source, hasty);
});

describe('opening', () => {
  it.each([
    ['another password', 'wrong'],
    ['no password', ''],
    ['the password with a space', `${password} `],
    ['the password in capitals', password.toUpperCase()],
    ['a password of a megabyte', 'x'.repeat(1 << 20)],
  ])('%s does not open it', async (_, secret) => {
    const before = inventory(folder);
    expect(await codeOf(openRepository(folder, secret))).toBe('wrong-password');
    expect(inventory(folder)).toEqual(before);
  });

  it('a folder that is missing, empty, full of other files or a file is no repository', async () => {
    const place = scratch('bad-input');
    tree(place, { empty: {}, other: { 'a.txt': 'a', data: { '00': {} } }, file: 'file' });
    for (const name of ['missing', 'empty', 'other', 'file', 'file/below', 'missing/below'])
      expect(await codeOf(openRepository(join(place, name))), name).toBe('repository-not-found');
    expect(existsSync(join(place, 'missing'))).toBe(false);
    expect(readdirSync(join(place, 'empty'))).toEqual([]);
  });

  it('a repository without any key is not opened', async () => {
    const place = join(scratch('bad-input'), 'repository');
    await makeRepository(place);
    for (const name of readdirSync(join(place, 'keys'))) rmSync(join(place, 'keys', name));
    expect(await codeOf(openRepository(place))).toBe('wrong-password');
  });

  it('a repository of version 1, made by restic, is named by its version', async () => {
    const place = join(scratch('bad-input'), 'repository');
    await resticOn(place).must(['init', '--repository-version', '1']);
    await expect(openRepository(place)).rejects.toMatchObject({ code: 'repository-version', context: { version: 1 } });
  });

  it.each<[string, unknown, string]>([
    ['version 3', { version: 3 }, 'repository-version'],
    ['version 0', { version: 0 }, 'repository-version'],
    ['version 2.5', { version: 2.5 }, 'repository-version'],
    ['version "2"', { version: '2' }, 'config-invalid'],
    ['no version', { version: undefined }, 'config-invalid'],
    ['no ID', { id: undefined }, 'config-invalid'],
    ['an ID that is a path', { id: '../..' }, 'config-invalid'],
    ['a reducible polynomial', { chunker_polynomial: '20000000000000' }, 'bad-polynomial'],
    ['a polynomial of another degree', { chunker_polynomial: '3' }, 'bad-polynomial'],
    ['an endless polynomial', { chunker_polynomial: 'f'.repeat(1_000_000) }, 'bad-polynomial'],
    ['a polynomial that is a number', { chunker_polynomial: 5 }, 'config-invalid'],
    ['a list', [], 'config-invalid'],
    ['nothing', '', 'config-invalid'],
    ['cut off', '{"version":2', 'config-invalid'],
  ])('a config with %s is refused', async (_, lie, code) => {
    const storage = new MemoryStorage();
    const repository = await makeRepository(storage);
    const text = typeof lie === 'string' || Array.isArray(lie) ? lie : { ...repository.config, ...(lie as object) };
    const plain = Buffer.from(typeof text === 'string' ? text : JSON.stringify(text));
    storage.tamper({ kind: 'config', name: '' }, () => new Forge(repository).seal(plain));
    expect(await codeOf(openRepository(storage))).toBe(code);
  });

  it.each<[string, object | string]>([
    ['scrypt that takes gigabytes', { N: 2 ** 24, r: 64 }],
    ['scrypt that takes years', { p: 2 ** 24 }],
    ['scrypt with a wide p', { N: 2, r: 1, p: 2 ** 26 }],
    ['scrypt with N beyond all', { N: 2 ** 53 }],
    ['N that is no power of 2', { N: 1000 }],
    ['N of 1', { N: 1 }],
    ['N of 0', { N: 0 }],
    ['a negative r', { r: -8 }],
    ['r of half', { r: 0.5 }],
    ['p as text', { p: '1' }],
    ['another function', { kdf: 'argon2' }],
    ['no salt', { salt: undefined }],
    ['a short salt', { salt: 'AAAA' }],
    ['nothing', ''],
    ['a list', '[]'],
    ['null', 'null'],
  ])('a key file with %s is refused at once, and another key still opens', async (_, lie) => {
    const storage = new MemoryStorage();
    await makeRepository(storage);
    const [key] = storage.files().filter(({ kind }) => kind === 'key');
    const good = await storage.load(key!);
    const file = JSON.parse(Buffer.from(good).toString('utf8')) as object;
    const bad = Buffer.from(typeof lie === 'string' ? lie : JSON.stringify({ ...file, ...lie }));
    storage.tamper(key!, () => bad);
    expect(await codeOf(openRepository(storage))).toBe('key-invalid');
    storage.tamper({ kind: 'key', name: 'ff'.repeat(32) }, () => good);
    expect(await openRepository(storage)).toBeInstanceOf(Repository);
  });

  it("key files with cheap scrypt and rubbish inside are other passwords' keys", async () => {
    const storage = new MemoryStorage();
    await makeRepository(storage);
    const [key] = storage.files().filter(({ kind }) => kind === 'key');
    for (const data of ['', 'AAAA', '!!!', Buffer.alloc(100_000).toString('base64')]) {
      storage.tamper(key!, (bytes) => Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(bytes).toString()), data })));
      expect(['wrong-password', 'key-invalid']).toContain(await codeOf(openRepository(storage)));
    }
  });
});

describe('a new repository', () => {
  it('is not made where one is, or what is left of one', async () => {
    const before = inventory(folder);
    expect(await codeOf(makeRepository(folder))).toBe('repository-exists');
    expect(inventory(folder)).toEqual(before);
    const place = join(scratch('bad-input'), 'repository');
    await makeRepository(place);
    await backup(await openRepository(place), source, hasty);
    rmSync(join(place, 'config'));
    expect(await codeOf(makeRepository(place))).toBe('repository-exists');
  });

  it('is not made in a file, nor below one, nor in what it needs and is a file', async () => {
    const place = scratch('bad-input');
    tree(place, { file: 'file', taken: { data: 'a file' } });
    for (const name of ['file', 'file/below', 'taken']) {
      const code = await codeOf(makeRepository(join(place, name)));
      expect(['storage-failed', 'storage-gone', 'storage-denied'], name).toContain(code);
    }
    expect(readdirSync(place).sort()).toEqual(['file', 'taken']);
  });
});

describe('sources', () => {
  it('that are not there are named; the others are backed up', async () => {
    const repository = await openRepository(folder);
    const gone = join(base, 'gone');
    const { problems, snapshot } = await backup(repository, [gone, source], hasty);
    expect(problemLines(problems)).toEqual([`vanished: ${gone}`]);
    const target = join(scratch('bad-input'), 'target');
    await restore(repository, target, { ...hasty, snapshot });
    expect(readdirSync(join(target, source)).sort()).toEqual(['a.txt', 'docs']);
  });

  it('none of which is there make no snapshot', async () => {
    const repository = await openRepository(folder);
    const before = await repository.names('snapshot');
    expect(
      await codeOf(backup(repository, [join(base, 'gone'), join(source, 'a.txt', 'below'), join(base, 'x\u0000y'.slice(0, 1))], hasty)),
    ).toBe('source-missing');
    expect(await codeOf(backup(repository, [], hasty))).toBe('bad-usage');
    expect(await repository.names('snapshot')).toEqual(before);
  });

  it('of the same name keep their own places', async () => {
    const place = scratch('bad-input');
    tree(place, { one: { docs: { f: 'one' } }, two: { docs: { f: 'two' } } });
    const sources = [join(place, 'two', 'docs'), join(place, 'one', 'docs')];
    const repository = await makeRepository(new MemoryStorage());
    const { plan } = await backup(repository, sources, hasty);
    expect(plan.paths).toEqual(sources.toReversed());
    const target = join(scratch('bad-input'), 'target');
    const { problems } = await restore(repository, target, hasty);
    expect(problems).toEqual([]);
    expect(
      inventory(join(target, place))
        .map((line) => line.split(' ').at(-1)!)
        .filter(Boolean),
    ).toEqual(['one', 'two']);
  });

  it('named twice, or inside one another, are backed up once', async () => {
    const repository = await makeRepository(new MemoryStorage());
    const sources = [join(source, 'docs'), source, `${source}/`, join(source, '.'), join(source, 'docs', '..', 'docs', 'b.txt')];
    const plan = await plannedBackup(repository, sources, hasty);
    expect(plan.paths).toEqual([source]);
    expect(plan.notes.map(({ kind }) => kind)).toEqual(['source-inside-another', 'source-inside-another']);
  });

  it('inside the destination, or the destination itself, are refused', async () => {
    const place = scratch('bad-input');
    const repository = await makeRepository(join(place, 'repository'));
    const link = join(place, 'link');
    symlinkSync(join(place, 'repository'), link);
    for (const path of [
      join(place, 'repository'),
      join(place, 'repository', 'data'),
      join(place, 'repository', 'config'),
      join(link, 'data'),
    ])
      expect(await codeOf(backup(repository, path, hasty)), path).toBe('source-in-destination');
    expect(await repository.names('snapshot')).toEqual([]);
  });

  it('that hold the destination leave it out, and say so', async () => {
    const place = tree(join(scratch('bad-input'), 'place'), { 'a.txt': 'a', inner: { 'b.txt': 'b' } });
    const destination = join(place, 'inner', 'repository');
    const repository = await makeRepository(destination);
    const { plan, problems } = await backup(repository, place, hasty);
    expect(plan.notes).toEqual([{ kind: 'destination-left-out', path: destination }]);
    expect(problems).toEqual([]);
    const target = join(scratch('bad-input'), 'target');
    await restore(repository, target, hasty);
    expect((readdirSync(join(target, place), { recursive: true }) as string[]).sort()).toEqual(['a.txt', 'inner', 'inner/b.txt']);
  });

  it('that reach the destination under another name leave it out as well', async () => {
    const place = tree(join(scratch('bad-input'), 'place'), { 'a.txt': 'a' });
    const repository = await makeRepository(join(place, 'repository'));
    const alias = join(scratch('bad-input'), 'alias');
    symlinkSync(place, alias);
    await backup(repository, join(alias, '.'), hasty);
    await backup(repository, [join(alias, 'a.txt'), place], hasty);
    const target = join(scratch('bad-input'), 'target');
    await restore(repository, target, hasty);
    expect((readdirSync(join(target, place), { recursive: true }) as string[]).sort()).toEqual(['a.txt']);
  });
});

describe('a target', () => {
  it.each([
    ['a file', 'file'],
    ['below a file', 'file/below'],
    ['the repository', 'repository'],
    ['in the repository', 'repository/data'],
    ['in the repository by a link', 'link/restored'],
    ['nowhere, by a link', 'dangling'],
    ['a name that is too long', 'n'.repeat(300)],
  ])('that is %s is refused, and nothing is changed', async (_, name) => {
    const place = tree(scratch('bad-input'), { file: 'mine' });
    const repository = await makeRepository(join(place, 'repository'));
    await backup(repository, source, hasty);
    symlinkSync(join(place, 'repository'), join(place, 'link'));
    symlinkSync(join(place, 'nothing'), join(place, 'dangling'));
    // A lock comes and goes, which changes the times of its folder.
    const before = inventory(place, join(place, 'repository', 'locks'));
    expect(await codeOf(restore(repository, join(place, name), hasty))).toBe('target-unusable');
    expect(inventory(place, join(place, 'repository', 'locks'))).toEqual(before);
  });

  it.each([
    ['a snapshot that is not there', { snapshot: 'abcdef' }, 'snapshot-not-found'],
    ['a snapshot that is a path', { snapshot: '../../config' }, 'snapshot-not-found'],
    ['a snapshot of 64 digits that is not there', { snapshot: 'ab'.repeat(32) }, 'snapshot-not-found'],
    ['no snapshot', { snapshot: '' }, 'snapshot-not-found'],
    ['a path that is not there', { path: Buffer.from('/nowhere') }, 'snapshot-path-not-found'],
    ['a path below a file', { path: Buffer.from(`${source}/a.txt/below`) }, 'snapshot-path-not-found'],
    ['an item that is not there', { items: [Buffer.from('nowhere')] }, 'snapshot-path-not-found'],
  ] as const)('is not even made for %s', async (_, request, code) => {
    const target = join(scratch('bad-input'), 'target');
    expect(await codeOf(restore(await openRepository(folder), target, { ...hasty, ...request }))).toBe(code);
    expect(existsSync(target)).toBe(false);
  });
});

describe('as another user', () => {
  const nobody = 65534;
  const program = fileURLToPath(new URL('../support/engine-process.ts', import.meta.url));

  /** What a process of another user says on the way out. */
  async function asNobody(...args: string[]): Promise<{ stdout: string; stderr: string }> {
    const options = { uid: nobody, gid: nobody, cwd: '/', env: { HOME: '/nonexistent', PATH: process.env.PATH ?? '' } };
    return promisify(execFile)(process.execPath, [program, ...args], options).catch((error: { stdout: string; stderr: string }) => error);
  }

  it.runIf(process.getuid?.() === 0)(
    'a destination that may not be read is said to be denied, and one that may not be written too',
    async () => {
      const place = scratch('bad-input');
      chmodSync(place, 0o755);
      const denied = join(place, 'repository');
      await backup(await makeRepository(denied), source, hasty);
      expect((await asNobody('restore', denied, join(place, 'target'))).stderr).toContain("code: 'storage-denied'");
      for (const name of ['.', ...(readdirSync(denied, { recursive: true }) as string[])]) chmodSync(join(denied, name), 0o755);
      const before = inventory(denied);
      expect((await asNobody('backup', denied, '/etc/hostname')).stderr).toContain("code: 'storage-denied'");
      expect(inventory(denied)).toEqual(before);
    },
  );

  it.runIf(process.getuid?.() === 0)('a target that may not be written is refused', async () => {
    const place = scratch('bad-input');
    chmodSync(place, 0o755);
    const repository = join(place, 'repository');
    await backup(await makeRepository(repository), source, hasty);
    for (const name of ['.', ...(readdirSync(repository, { recursive: true }) as string[])]) chmodSync(join(repository, name), 0o777);
    mkdirSync(join(place, 'closed'), { mode: 0o755 });
    writeFileSync(join(place, 'closed', 'mine'), 'mine');
    expect((await asNobody('restore', repository, join(place, 'closed', 'target'))).stderr).toContain("code: 'target-unusable'");
    expect(readdirSync(join(place, 'closed'))).toEqual(['mine']);
  });

  it('a place that is no folder of this computer is told as such', async () => {
    expect(await codeOf(Repository.open(new LocalStorage('/proc/self/nothing/at/all'), password))).toBe('repository-not-found');
    expect(await codeOf(makeRepository('/proc/self/nothing'))).toMatch(/^storage-/);
  });
});
