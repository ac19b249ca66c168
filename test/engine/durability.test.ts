/**
 * What survives a power cut at any moment of a backup, as the system sees it: a file counts only when it is on the medium under
 * its name, and nothing is stored that refers to something that is not there yet.
 */
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openRepository, resticOn } from '../support/engine.ts';
import type { BackupReport } from '../support/engine-process.ts';
import { expectCleanCheck } from '../support/judge.ts';
import { type Call, canTrace, readTrace, traced } from '../support/strace.ts';
import { scratch, tree } from '../support/tree-literal.ts';

const child = join(import.meta.dirname, '..', 'support', 'engine-process.ts');
const writes = ['write', 'writev', 'pwrite64', 'pwritev', 'pwritev2'];
const calls = [...writes, 'fsync', 'fdatasync', 'rename', 'renameat', 'renameat2', 'link', 'linkat', 'openat', 'ftruncate'];

interface Stored {
  /** Nothing of the file is on the medium before this event … */
  readonly begun: number;
  /** … and all of it, with its name, after this one. */
  readonly durable: number;
}

/** Proves that the file was stored durably, and tells when. */
function stored(trace: readonly Call[], path: string): Stored {
  const placed = trace.filter(({ name, text }) => /^(rename|link)/.test(name) && text.includes(`"${path}"`));
  expect([path, placed.map(({ name }) => name)]).toEqual([path, [path.endsWith('/config') ? 'link' : 'rename']]);
  const [temporary, final] = [...placed[0]!.text.matchAll(/"([^"]*)"/g)].map(([, name]) => name!) as [string, string];
  expect([final, dirname(temporary)]).toEqual([path, dirname(path)]);
  const made = trace.find(({ name, text }) => name === 'openat' && text.includes(`"${temporary}"`) && text.includes('O_EXCL'));
  const written = trace.filter(({ name, text }) => writes.includes(name) && text.includes(`<${temporary}>`));
  const synced = trace.filter(({ name, text }) => name === 'fsync' && text.includes(`<${temporary}>`));
  const folder = trace.find(({ name, text, start }) => name === 'fsync' && text.includes(`<${dirname(path)}>`) && start > placed[0]!.end);
  const bytes = written.reduce((sum, { text }) => sum + Number(/= (\d+)$/.exec(text)![1]), 0);
  expect([path, bytes]).toEqual([path, statSync(path).size]);
  expect([path, made, synced.length, folder]).toEqual([path, expect.anything(), 1, expect.anything()]);
  const steps = [made!, ...written, synced[0]!, placed[0]!, folder!];
  for (let i = 1; i < steps.length; i++) expect([path, steps[i]!.start > steps[i - 1]!.end]).toEqual([path, true]);
  return { begun: made!.start, durable: folder!.end };
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

describe.skipIf(!canTrace())('a backup into a folder', () => {
  test('stores each file by write, fsync, rename and fsync of its folder; packs before the index that names them, the index before the snapshot', async () => {
    const dir = scratch();
    const source = tree(join(dir, 'source'), { small: 'a', deeper: { smaller: 'b' } });
    // Several packs, from both workers.
    for (const n of [1, 2, 3, 4]) writeFileSync(join(source, `large ${n}`), randomBytes(14 << 20));
    const folder = join(dir, 'repository');
    const log = join(dir, 'trace');
    traced(log, calls, [process.execPath, child, 'init', folder]);
    const keys = filesIn(join(folder, 'keys'));
    expect(keys).toHaveLength(1);
    const key = stored(readTrace(log), keys[0]!);
    expect(stored(readTrace(log), join(folder, 'config')).begun).toBeGreaterThan(key.durable);

    for (const run of [1, 2]) {
      const before = new Set(filesIn(folder));
      const report = JSON.parse(traced(log, calls, [process.execPath, child, 'backup', folder, source])) as BackupReport;
      const trace = readTrace(log);
      const fresh = filesIn(folder).filter((path) => !before.has(path));
      const kindOf = (path: string): string => path.slice(folder.length + 1).split('/')[0]!;
      const of = (kind: string): string[] => fresh.filter((path) => kindOf(path) === kind);
      expect(of('data').length).toBeGreaterThanOrEqual(run === 1 ? 4 : 2);
      expect(of('index').length).toBeGreaterThanOrEqual(1);
      expect(of('snapshots')).toEqual([join(folder, 'snapshots', report.snapshot)]);
      expect(new Set(fresh.map(kindOf))).toEqual(new Set(['data', 'index', 'snapshots']));

      const times = new Map(fresh.map((path) => [path, stored(trace, path)]));
      const repository = await openRepository(folder);
      for (const path of of('index')) {
        const { packs } = JSON.parse((await repository.loadItem('index', path.slice(-64))).toString()) as { packs: { id: string }[] };
        expect(packs.length).toBeGreaterThan(0);
        for (const { id } of packs) {
          const pack = times.get(join(folder, 'data', id.slice(0, 2), id));
          expect(times.get(path)!.begun).toBeGreaterThan(pack!.durable);
        }
      }
      const snapshot = times.get(of('snapshots')[0]!)!;
      for (const path of [...of('data'), ...of('index')]) expect(snapshot.begun).toBeGreaterThan(times.get(path)!.durable);
      // The lock is there before anything is stored, and goes when everything is.
      const locked = trace.find(({ name, text }) => name.startsWith('rename') && text.includes(`${folder}/locks/`))!;
      for (const path of fresh) expect(times.get(path)!.begun).toBeGreaterThan(locked.end);
      // Told to nobody before it is durable.
      const told = trace.find(
        ({ name, text }) => name === 'write' && text.startsWith('write(1') && text.includes(report.snapshot.slice(0, 8)),
      )!;
      expect(told.start).toBeGreaterThan(snapshot.durable);
      writeFileSync(join(source, 'large 1'), randomBytes(1 << 20));
    }
    await expectCleanCheck(resticOn(folder));
  });
});
