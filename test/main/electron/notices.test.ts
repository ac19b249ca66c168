import { beforeEach, expect, test, vi } from 'vitest';
import type { Run } from '../../../src/contract/run.ts';
import type { Notice, State } from '../../../src/contract/state.ts';
import { Notices } from '../../../main/electron/notices.ts';
import * as electron from '../../support/fake-electron.ts';
import { aPlan, anAlarm, aRun, stateWith } from '../../support/service-state.ts';

const { Notification } = electron;
const state = stateWith({
  plans: [aPlan('docs', 'Documents')],
  destinations: [{ id: 'drive', name: 'Blue drive' } as State['destinations'][0]],
});

beforeEach(() => {
  Notification.all.length = 0;
  Notification.supported = true;
});

function make({ isLookedAt = false } = {}) {
  const go = vi.fn();
  const onFailed = vi.fn();
  const notices = new Notices({ go, isLookedAt: () => isLookedAt, onFailed });
  const notice = (what: Notice['what'], alarm = anAlarm(), given = state, language: 'en' | 'zh-CN' = 'en'): void =>
    notices.tell({ what, alarm }, given, language);
  const run = (more: Partial<Run>, given = state): void => notices.take({ type: 'run', run: aRun(7, more) }, given, 'en');
  return { notices, go, onFailed, notice, run };
}
const shown = (): string[] => Notification.all.map(({ title, body }) => `${title} | ${body}`);

test('an alarm is told in its own words, and leads to where help is', () => {
  const { notice, go } = make();
  notice('raised');
  expect(shown()).toEqual(['A backup is overdue | The newest backup is old. Plug its drive in.']);
  Notification.all[0].emit('click', {});
  expect(go).toHaveBeenCalledWith('/');
});

test('in Chinese it is told in Chinese, with the names that the person gave', () => {
  const { notice } = make();
  notice('raised', anAlarm(), state, 'zh-CN');
  notice('raised', anAlarm({ key: 'service', kind: 'service' }), state, 'zh-CN');
  expect(Notification.all[0].title).toBe('备份已逾期');
  expect(Notification.all[0].body).toMatch(/“Documents”.*“Blue drive”/);
  for (const { title, body } of Notification.all)
    expect(`${title}${body}`.replaceAll(/Documents|Blue drive|Holdfast/g, '')).not.toMatch(/[a-z]/i);
});

test('a kind that this version does not know is told as the service tells it', () => {
  const { notice } = make();
  notice('raised', anAlarm({ kind: 'ransomware', message: 'Many files changed.', guidance: 'Look.' }));
  expect(shown()).toEqual(['Something needs your attention | Many files changed. Look.']);
});

test('the same alarm takes the place of the older; the all-clear, too; what is withdrawn disappears', () => {
  const { notice } = make();
  notice('raised');
  notice('repeated');
  expect(Notification.all.map(({ closed }) => closed)).toEqual([true, false]);
  notice('solved');
  expect(shown().at(-1)).toBe('Solved | A backup is overdue');
  notice('withdrawn');
  expect(Notification.all.map(({ closed }) => closed)).toEqual([true, true, true]);
});

test.each<[string, Partial<Run>, string | undefined]>([
  ['a backup that the person started', { status: 'succeeded' }, 'Documents is backed up | To “Blue drive”. Every file was read.'],
  [
    'one with gaps',
    { status: 'completed-with-warnings', problems: 1 },
    'Documents is backed up, with gaps | 1 file could not be read. Open Holdfast to see which, and why.',
  ],
  [
    'one that failed',
    { status: 'failed' },
    'Documents could not be backed up | What was backed up before is safe. Open Holdfast to see what to do.',
  ],
  ['a restore', { kind: 'restore', status: 'succeeded' }, 'Your files are restored | Open Holdfast to see the receipt.'],
  ['one that is still at work', { status: 'running' }, undefined],
  ['one that the person cancelled', { status: 'cancelled' }, undefined],
  ['one that began by itself', { status: 'succeeded', cause: 'schedule' }, undefined],
  ['one that began by itself and failed: it is tried again', { status: 'failed', cause: 'schedule' }, undefined],
  ['a check', { kind: 'check', status: 'succeeded' }, undefined],
])('of %s the person is told rightly', (_, more, text) => {
  const { run, go } = make();
  run(more);
  expect(shown()).toEqual(text === undefined ? [] : [text]);
  if (text === undefined) return;
  Notification.all[0].emit('click', {});
  expect(go).toHaveBeenCalledWith('/history/runs/7');
});

test('who looks at the interface is not told the same twice; of an alarm they are', () => {
  const { run, notice } = make({ isLookedAt: true });
  run({ status: 'succeeded' });
  expect(shown()).toEqual([]);
  notice('raised');
  expect(shown()).toHaveLength(1);
});

test('who wants no notifications gets none', () => {
  const { run, notice } = make();
  const silent = { ...state, settings: { ...state.settings, notifications: false } };
  run({ status: 'succeeded' }, silent);
  notice('raised', anAlarm(), silent);
  expect(shown()).toEqual([]);
});

test('a desktop that shows none is no trouble, and is noted', () => {
  const { notices, onFailed } = make();
  Notification.supported = false;
  notices.stillRuns('en');
  expect(onFailed).toHaveBeenCalledTimes(1);
  Notification.supported = true;
  notices.stillRuns('en');
  Notification.all[0].emit('failed', {}, 'no server');
  expect(onFailed).toHaveBeenLastCalledWith('no server');
  notices.close();
  expect(Notification.all[0].closed).toBe(true);
});
