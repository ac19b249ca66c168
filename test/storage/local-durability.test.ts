import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LocalStorage } from '../../src/storage/local.ts';
import { configFile } from '../../src/storage/storage.ts';
import { type Call, canTrace, readTrace } from '../support/strace.ts';

const child = path.join(import.meta.dirname, '..', 'support', 'storage-process.ts');

describe.skipIf(!canTrace())('a saved file, as the system sees it', () => {
  let parent: string;
  beforeEach(() => {
    parent = mkdtempSync(path.join(tmpdir(), 'holdfast-trace-'));
  });
  afterEach(() => rmSync(parent, { recursive: true }));

  test('is written, fsynced, renamed and its folder fsynced, in this order, each before the next file', async () => {
    const folder = path.join(parent, 'repository');
    const storage = new LocalStorage(folder);
    await storage.create();
    const log = path.join(parent, 'trace');
    const traced = 'write,writev,pwrite64,pwritev,pwritev2,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,fchmod,fallocate';
    const { stdout } = spawnSync(
      'strace',
      ['-f', '-y', '-s', '200', '-o', log, '-e', `trace=${traced}`, process.execPath, child, 'save-kinds', folder],
      {
        encoding: 'utf8',
      },
    );
    const saved = stdout.trim().split('\n');
    expect(saved.pop()).toBe('ok');
    expect(saved.map((line) => line.split(' ')[0])).toEqual(['config', 'key', 'pack', 'index', 'snapshot', 'lock']);
    const calls = readTrace(log);
    let previous = -1;
    for (const line of saved) {
      const [kind, name] = line.split(' ') as ['config' | 'pack', string];
      const final = storage.localPath({ kind, name: name ?? '' });
      const only = (what: string, matches: (call: Call) => boolean): Call => {
        const found = calls.filter(matches);
        expect([line, what, found.length]).toEqual([line, what, 1]);
        return found[0]!;
      };
      const placed = only('rename', ({ name: call, text }) => /^(rename|link)/.test(call) && text.includes(`"${final}"`));
      expect(placed.name.startsWith('rename')).toBe(kind !== 'config');
      const temporary = /"([^"]*-tmp-[0-9a-f]+)"/.exec(placed.text)![1]!;
      expect(path.dirname(temporary)).toBe(path.dirname(final));
      const write = only('one write', ({ name: call, text }) => /^p?writev?/.test(call) && text.includes(`<${temporary}>`));
      expect(write.text).toMatch(/= 3000000$/);
      const readOnly = only('fchmod', ({ name: call, text }) => call === 'fchmod' && text.includes(`<${temporary}>, 0400`));
      const fsync = only('fsync', ({ name: call, text }) => call === 'fsync' && text.includes(`<${temporary}>`));
      const folderSync = only(
        'fsync of the folder',
        ({ name: call, text, start }) =>
          call === 'fsync' && text.includes(`<${path.dirname(final)}>`) && start > placed.end && start > previous,
      );
      const steps = [write, readOnly, fsync, placed, folderSync];
      for (const [n, step] of steps.entries()) expect(step.start).toBeGreaterThan(n === 0 ? previous : steps[n - 1]!.end);
      previous = folderSync.end;
      // Told only when durable: the child prints the name after everything else.
      const told = calls.find(({ name: call, text }) => call === 'write' && text.startsWith('write(1') && text.includes(line));
      expect(told!.start).toBeGreaterThan(folderSync.end);
    }
  });

  test('a config is replaced by one that is whole and fsynced, and then durably', async () => {
    const folder = path.join(parent, 'repository');
    const storage = new LocalStorage(folder);
    await storage.create();
    await storage.save(configFile, [Buffer.from('old')]);
    const log = path.join(parent, 'trace');
    const traced = 'write,writev,pwrite64,pwritev,pwritev2,fsync,rename,renameat,renameat2,link,linkat,unlink,truncate,ftruncate';
    spawnSync('strace', [
      '-f',
      '-y',
      '-s',
      '200',
      '-o',
      log,
      '-e',
      `trace=${traced}`,
      process.execPath,
      child,
      'replace-config',
      folder,
      '1',
    ]);
    const calls = readTrace(log);
    const final = storage.localPath(configFile);
    const placed = calls.filter(({ text }) => text.includes(`"${final}"`));
    // One call touches the name, and it is a rename.
    expect(placed.map(({ name }) => name.startsWith('rename'))).toEqual([true]);
    const temporary = /"([^"]*-tmp-[0-9a-f]+)"/.exec(placed[0]!.text)![1]!;
    const fsync = calls.find(({ name, text }) => name === 'fsync' && text.includes(`<${temporary}>`))!;
    const write = calls.find(({ name, text }) => /^p?writev?/.test(name) && text.includes(`<${temporary}>`))!;
    const folderSync = calls.find(({ name, text, start }) => name === 'fsync' && text.includes(`<${folder}>`) && start > placed[0]!.end)!;
    const told = calls.find(({ name, text }) => name === 'write' && text.startsWith('write(1') && text.includes('"1\\n"'))!;
    expect([write.end < fsync.start, fsync.end < placed[0]!.start, folderSync.end < told.start]).toEqual([true, true, true]);
  });

  test('is removed durably', async () => {
    const folder = path.join(parent, 'repository');
    const storage = new LocalStorage(folder);
    await storage.create();
    const file = { kind: 'pack', name: 'ab'.repeat(32) } as const;
    await storage.save(file, [Buffer.from('x')]);
    const log = path.join(parent, 'trace');
    spawnSync('strace', [
      '-f',
      '-y',
      '-s',
      '200',
      '-o',
      log,
      '-e',
      'trace=unlink,fsync',
      process.execPath,
      child,
      'remove',
      folder,
      file.name,
    ]);
    const calls = readTrace(log);
    const unlink = calls.find(({ name, text }) => name === 'unlink' && text.includes(storage.localPath(file)))!;
    const fsync = calls.find(({ name, text }) => name === 'fsync' && text.includes(`<${path.dirname(storage.localPath(file))}>`))!;
    expect(fsync.start).toBeGreaterThan(unlink.end);
  });

  test('finds its folders durable: each new one is followed by an fsync of its parent', async () => {
    const log = path.join(parent, 'trace');
    const folder = path.join(parent, 'a', 'b', 'repository');
    const script = `const { LocalStorage } = await import(${JSON.stringify(path.join(import.meta.dirname, '../../src/storage/local.ts'))}); await new LocalStorage(${JSON.stringify(folder)}).create();`;
    spawnSync('strace', [
      '-f',
      '-y',
      '-s',
      '200',
      '-o',
      log,
      '-e',
      'trace=mkdir,fsync',
      process.execPath,
      '--input-type=module',
      '-e',
      script,
    ]);
    const calls = readTrace(log);
    const made = calls.filter(({ name }) => name === 'mkdir').map((call) => ({ ...call, folder: /"([^"]+)"/.exec(call.text)![1]! }));
    expect(made.filter((each) => each.folder.startsWith(parent))).toHaveLength(264);
    for (const each of made.filter((every) => every.folder.startsWith(parent)))
      expect(
        calls.some(({ name, text, start }) => name === 'fsync' && text.includes(`<${path.dirname(each.folder)}>`) && start > each.end),
      ).toBe(true);
  });
});

describe('a process killed in the middle of a save', () => {
  test('leaves only whole files visible, and leftovers that can be removed', async () => {
    const parent = mkdtempSync(path.join(tmpdir(), 'holdfast-kill-'));
    const storage = new LocalStorage(path.join(parent, 'repository'));
    await storage.create();
    const temporaries = async (): Promise<string[]> =>
      (await readdir(storage.location, { recursive: true })).filter((name) => name.includes('-tmp-'));
    let torn = 0;
    for (let round = 0; round < 8; round++) {
      const before = (await temporaries()).length;
      const saving = spawn(process.execPath, [child, 'save-each', storage.location, '1000', '8000000'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let told = '';
      saving.stdout.setEncoding('utf8').on('data', (text: string) => {
        told += text;
      });
      const closed = once(saving, 'close');
      await once(saving.stdout, 'data');
      // Looks without a pause, so that most kills hit a file at work.
      while (saving.exitCode === null && (await temporaries()).length === before);
      saving.kill('SIGKILL');
      await closed;
      torn += (await temporaries()).length - before;
      const listed = new Set<string>();
      for await (const { name, size } of storage.list('pack')) {
        listed.add(name);
        expect(size).toBe(8_000_000);
        expect(
          createHash('sha256')
            .update(await storage.load({ kind: 'pack', name }))
            .digest('hex'),
        ).toBe(name);
      }
      for (const name of told.split('\n').slice(0, -1)) expect(listed.has(name)).toBe(true);
      for (const name of listed) await storage.remove({ kind: 'pack', name });
    }
    expect(torn).toBeGreaterThan(0);
    expect(await storage.removeLeftovers(Number.POSITIVE_INFINITY)).toBe(torn);
    expect(await temporaries()).toEqual([]);
    rmSync(parent, { recursive: true });
  });
});

test('a process killed while it replaces config leaves the old or a new one, whole', async () => {
  const parent = mkdtempSync(path.join(tmpdir(), 'holdfast-kill-'));
  const storage = new LocalStorage(path.join(parent, 'repository'));
  await storage.create();
  await storage.save(configFile, [Buffer.alloc(100_000)]);
  for (let round = 0; round < 6; round++) {
    const replacing = spawn(process.execPath, [child, 'replace-config', storage.location, '250'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let told = '';
    replacing.stdout.setEncoding('utf8').on('data', (text: string) => {
      told += text;
      if (told.split('\n').length > 5 + 3 * round) replacing.kill('SIGKILL');
    });
    await once(replacing, 'close');
    expect(replacing.signalCode).toBe('SIGKILL');
    const left = await storage.load(configFile);
    const number = left[0]!;
    expect(Buffer.alloc(100_000 + number, number).equals(left)).toBe(true);
    // What was told to be durable is there, or what came after it.
    expect(number).toBeGreaterThanOrEqual(Number(told.split('\n').at(-2)));
  }
  await storage.removeLeftovers(Number.POSITIVE_INFINITY);
  expect((await readdir(storage.location)).filter((name) => name.startsWith('config'))).toEqual(['config']);
  rmSync(parent, { recursive: true });
});
