import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import type { Destination } from '../../../src/contract/destination.ts';
import { type Plan, planSchema } from '../../../src/contract/plan.ts';
import { usualSchedule } from '../../../src/contract/schedule.ts';
import type { NewRun } from '../../../src/service/state/runs.ts';
import { StateStore } from '../../../src/service/state/store.ts';
import { canMountDisks, mountDisk } from '../../support/disk.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { scratch } from '../../support/tree-literal.ts';

const clock = new FakeClock();
const open = (file: string, onUnreadable?: (what: string) => void): StateStore => {
  const store = new StateStore(file, clock, onUnreadable);
  onTestFinished(() => {
    try {
      store.close();
    } catch {
      // The test has closed it.
    }
  });
  return store;
};
const plan = (id: string): Plan =>
  planSchema.parse({
    id,
    name: `Plan ${id} 计划`,
    sources: [{ kind: 'folder', path: '/home/me' }],
    destinations: [{ destination: 'd1', role: 'primary' }],
    schedule: usualSchedule,
  });
const destination: Destination = {
  id: 'd1',
  name: 'Disk',
  place: '/media/disk',
  repository: 'a'.repeat(64),
  polynomial: 'abc',
  ejectAfterRun: false,
};
const newRun: NewRun = {
  kind: 'backup',
  plan: 'p1',
  destination: 'd1',
  planName: 'Plan',
  destinationName: 'Disk',
  cause: 'person',
  strategy: 'incremental',
  attempt: 1,
  created: 1000,
};

test('what is stored is there after the file is opened again', () => {
  const file = join(scratch(), 'state.db');
  const first = open(file);
  expect(first.isNew).toBe(true);
  first.savePlan(plan('p2'));
  first.savePlan(plan('p1'));
  first.savePlan({ ...plan('p2'), name: 'Other' });
  first.saveDestination(destination);
  first.changeSettings({ threads: 3, limitUpload: '500K' });
  first.remember('pause', { until: null });
  const run = first.runs.add(newRun);
  first.runs.change(run.id, { status: 'failed', error: { code: 'x', message: 'm', guidance: 'g', context: { a: 1 }, retryable: true } });
  first.close();
  const again = open(file);
  expect(again.isNew).toBe(false);
  expect(again.plans()).toEqual([{ ...plan('p2'), name: 'Other' }, plan('p1')]);
  expect(again.destinations()).toEqual([destination]);
  expect(again.settings()).toMatchObject({ threads: 3, limitUpload: '500K', limitDownload: null, gentle: true });
  expect(again.recall('pause')).toEqual({ until: null });
  expect(again.recall('nothing')).toBeUndefined();
  expect(again.runs.get(run.id)).toMatchObject({ status: 'failed', error: { context: { a: 1 } }, figures: null });
  again.removePlan('p2');
  again.removeDestination('d1');
  expect([again.plans().length, again.destinations()]).toEqual([1, []]);
});

test.each([
  ['overwritten', (file: string) => writeFileSync(file, 'this is no database at all'.repeat(1000))],
  ['cut off', (file: string) => truncateSync(file, 9000)],
  [
    'with a page of garbage',
    (file: string) => {
      const bytes = readFileSync(file);
      bytes.fill(0xa5, 4096, 4096 * 3);
      writeFileSync(file, bytes);
    },
  ],
])('a damaged state (%s) is kept aside, whole, and a new one begun', (_, damage) => {
  const folder = scratch();
  const file = join(folder, 'state.db');
  const first = open(file);
  first.savePlan(plan('p1'));
  first.close();
  damage(file);
  const found = readFileSync(file);
  const again = open(file);
  expect(again.isNew).toBe(true);
  expect(again.plans()).toEqual([]);
  expect(readFileSync(again.keptAside!).equals(found)).toBe(true);
  again.savePlan(plan('p3'));
  again.close();
  expect(open(file).plans()).toEqual([plan('p3')]);
});

test('a state of a newer version is refused and not touched', () => {
  const folder = scratch();
  const file = join(folder, 'state.db');
  open(file).close();
  const database = new DatabaseSync(file);
  database.exec('PRAGMA user_version = 99; CREATE TABLE future (x);');
  database.close();
  const before = readFileSync(file);
  expect(() => open(file)).toThrow(expect.objectContaining({ code: 'state-newer' }));
  expect(readFileSync(file).equals(before)).toBe(true);
  expect(readdirSync(folder).filter((name) => name.includes('damaged'))).toEqual([]);
});

test('a row that cannot be read costs that row, and is told', () => {
  const file = join(scratch(), 'state.db');
  const first = open(file);
  first.savePlan(plan('p1'));
  first.savePlan(plan('p2'));
  first.changeSettings({ threads: 2 });
  first.close();
  const database = new DatabaseSync(file);
  database.exec(
    `UPDATE plans SET value = '{"id":"p1"}' WHERE id = 'p1'; UPDATE settings SET value = '"many"'; INSERT INTO settings VALUES ('theme', '{'); INSERT INTO memory VALUES ('pause', '{');`,
  );
  database.close();
  const told: string[] = [];
  const again = open(file, (what) => void told.push(what));
  expect(again.plans()).toEqual([plan('p2')]);
  expect(told).toEqual(['plans p1']);
  expect(again.settings()).toMatchObject({ threads: null, theme: 'system' });
  expect(again.recall('pause')).toBeUndefined();
});

test('a file that cannot be opened is no damage: it is told, and nothing is put aside', () => {
  const folder = scratch();
  expect(() => open(join(folder, 'nowhere/state.db'))).toThrow(expect.objectContaining({ code: 'state-failed' }));
  expect(() => open(folder)).toThrow(expect.objectContaining({ code: 'state-failed' }));
  expect(readdirSync(folder)).toEqual([]);
});

test.runIf(canMountDisks)(
  'on a full disk a change fails as a whole, what was there stays, and the next one works when there is space',
  () => {
    const { folder } = mountDisk(4 << 20);
    const file = join(folder, 'state.db');
    const store = open(file);
    store.savePlan(plan('p1'));
    const fill = join(folder, 'fill');
    const failing = (): void => {
      for (let i = 0; i < 1000; i++) store.remember(`much ${i}`, 'x'.repeat(100_000));
    };
    writeFileSync(fill, Buffer.alloc(2 << 20));
    expect(failing).toThrow(expect.objectContaining({ code: 'state-failed' }));
    expect(store.plans()).toEqual([plan('p1')]);
    rmSync(fill);
    store.savePlan(plan('p2'));
    store.close();
    const again = open(file);
    expect(again.plans()).toEqual([plan('p1'), plan('p2')]);
    again.close();
  },
);

test.runIf(canMountDisks)('a state on a read-only disk is refused as it is, not taken for a damaged one', () => {
  const disk = mountDisk(4 << 20);
  const file = join(disk.folder, 'state.db');
  const first = open(file);
  first.savePlan(plan('p1'));
  first.close();
  disk.remount('ro');
  expect(() => {
    open(file).savePlan(plan('p2'));
  }).toThrow(expect.objectContaining({ code: 'state-failed' }));
  expect(readdirSync(disk.folder).filter((name) => name.includes('damaged'))).toEqual([]);
  disk.remount('rw');
  expect(open(file).plans()).toEqual([plan('p1')]);
});

test('what a killed service had not finished writing is not there, what it had is', () => {
  const folder = scratch();
  const file = join(folder, 'state.db');
  const store = open(file);
  store.savePlan(plan('p1'));
  // The files as a power cut would leave them: the write-ahead log is not yet part of the database.
  for (const end of ['', '-wal']) if (existsSync(file + end)) copyFileSync(file + end, join(folder, `cut.db${end}`));
  expect(open(join(folder, 'cut.db')).plans()).toEqual([plan('p1')]);
});

test('runs are listed newest first, by page and by filter, also among ten thousand', () => {
  const store = open(join(scratch(), 'state.db'));
  for (let i = 0; i < 300; i++) {
    const { id } = store.runs.add({ ...newRun, plan: `p${i % 3}`, created: i });
    if (i % 2 === 0) store.runs.change(id, { status: 'succeeded', ended: i });
  }
  const page = store.runs.list({ plan: 'p1', limit: 10 });
  expect(page.map(({ created }) => created)).toEqual([298, 295, 292, 289, 286, 283, 280, 277, 274, 271]);
  expect(store.runs.list({ plan: 'p1', before: page.at(-1)!.id, limit: 2 }).map(({ created }) => created)).toEqual([268, 265]);
  expect(store.runs.list({ statuses: ['succeeded'], limit: 2 }).map(({ created }) => created)).toEqual([298, 296]);
  expect(store.runs.list({ kinds: ['check'], limit: 2 })).toEqual([]);
  expect(store.runs.list({ destination: 'other', limit: 2 })).toEqual([]);
  expect(store.runs.unfinished()).toHaveLength(150);
  expect(store.runs.lastSuccess('p1', 'd1')?.created).toBe(298);
  expect(store.runs.lastSuccess('p9', 'd1')).toBeUndefined();
});

test('what is asked all the time is as quick among a hundred thousand runs of one plan, most of which failed', () => {
  const file = join(scratch(), 'state.db');
  const store = open(file);
  const { id } = store.runs.add({ ...newRun, plan: 'p1', destination: 'd1', created: 1 });
  store.runs.change(id, { status: 'succeeded', started: 1, ended: 2 });
  const database = new DatabaseSync(file);
  database.exec(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
     INSERT INTO runs (kind, plan, destination, plan_name, destination_name, cause, strategy, status, attempt, created, started, ended)
     SELECT 'backup', 'p1', 'd1', 'p', 'd', 'schedule', 'incremental', 'failed', 1, i, i, i FROM n;`,
  );
  database.close();
  const asked = (): void => {
    expect(store.runs.lastSuccess('p1', 'd1')?.id).toBe(id);
    expect(store.runs.lastSuccess('p1', 'd2')).toBeUndefined();
    expect(store.runs.successes('p1')).toEqual({ incremental: 1 });
    expect(store.runs.unfinished()).toEqual([]);
    expect(store.runs.list({ plan: 'p1', limit: 10 })).toHaveLength(10);
    expect(store.runs.list({ kinds: ['check'], limit: 10 })).toEqual([]);
  };
  asked();
  const before = process.cpuUsage();
  for (let i = 0; i < 10; i++) asked();
  // Each of 60 questions; looking at all runs would take some 10 ms for each.
  expect(process.cpuUsage(before).user / 1000 / 60).toBeLessThan(5);
});

test('old runs are thinned with their logs, but for the newest success of each plan and destination', () => {
  const file = join(scratch(), 'state.db');
  const store = open(file);
  const made = (plan: string, at: number, status: 'succeeded' | 'failed'): number => {
    const { id } = store.runs.add({ ...newRun, plan, created: at });
    store.runs.log(id, { at, level: 'info', text: 'text' });
    store.runs.storeProblems(id, [{ path: '/a', code: 'unreadable', message: 'no' }], 0);
    store.runs.end(id, { status, ended: at }, 1);
    return id;
  };
  const old = made('p1', 10, 'succeeded');
  const kept = made('p1', 20, 'succeeded');
  made('p1', 30, 'failed');
  const lonely = made('p2', 5, 'succeeded');
  const young = made('p1', 100, 'failed');
  const open1 = store.runs.add({ ...newRun, created: 1 }).id;
  expect([store.runs.thin(50, 1), store.runs.thin(50, 10), store.runs.thin(50, 10)]).toEqual([1, 1, 0]);
  expect(store.runs.list({ limit: 10 }).map(({ id }) => id)).toEqual([open1, young, lonely, kept]);
  expect(store.runs.logOf(old, 0, 10).lines).toEqual([]);
  expect(store.runs.problemsOf(old, 0, 10).problems).toEqual([]);
  expect(store.runs.problemsOf(kept, 0, 10)).toEqual({ problems: [{ path: '/a', code: 'unreadable', message: 'no' }], next: null });
  expect(store.runs.get(kept).problems).toBe(1);
});

test('a run with very many problems stores them bit by bit; nobody sees some of them, and what a killed service left is swept up', () => {
  const store = open(join(scratch(), 'state.db'));
  const problems = Array.from({ length: 2500 }, (_, i) => ({ path: `/${i}`, code: 'unreadable', message: 'no' }));
  const seen = (id: number) => store.runs.problemsOf(id, 0, 10_000).problems.length;
  const { id } = store.runs.add(newRun);
  const steps = [store.runs.storeProblems(id, problems, 0)];
  for (let at = steps[0]; at < problems.length; ) steps.push((at = store.runs.storeProblems(id, problems, at)));
  expect([steps, seen(id), store.runs.get(id).problems]).toEqual([[1000, 2000, 2500], 0, 0]);
  store.runs.end(id, { status: 'completed-with-warnings', ended: 1 }, problems.length);
  expect([seen(id), store.runs.get(id).problems]).toEqual([2500, 2500]);
  const killed = store.runs.add(newRun).id;
  store.runs.storeProblems(killed, problems, 0);
  store.runs.interrupt(killed, 2, undefined, false);
  expect(seen(killed)).toBe(0);
  store.runs.sweep();
  store.runs.sweep();
  store.runs.end(killed, { status: 'interrupted' }, 1);
  expect([seen(killed), seen(id)]).toEqual([0, 2500]);
  // A run with more than are removed at once goes in several steps.
  const many = store.runs.add(newRun).id;
  let at = 0;
  for (let i = 0; i < 4; i++) for (at = 0; at < problems.length; ) at = store.runs.storeProblems(many, problems, at);
  store.runs.end(many, { status: 'failed', ended: 3 }, 4 * problems.length);
  expect([store.runs.thin(100, 10), store.runs.thin(100, 10), store.runs.thin(100, 10), store.runs.list({ limit: 10 })]).toEqual([
    1,
    0,
    1,
    expect.any(Array),
  ]);
});
