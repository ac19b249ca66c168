import { expect, test } from 'vitest';
import type { State } from '../../../src/contract/state.ts';
import { type Connection, keepsAwake, percentOf, statusLine, trayIcon } from '../../../main/electron/tray-state.ts';
import { aPlan, anAlarm, aRun, planState, stateWith } from '../../support/service-state.ts';

const hour = 3_600_000;
const now = Date.parse('2026-03-10T12:00:00Z');
const docs = aPlan('docs', 'Documents');
const photos = aPlan('photos', 'Photos');
const backedUp = [planState('docs', { drive: now - hour }), planState('photos', { drive: now - 5 * hour, cloud: now - 2 * hour })];
const calm = stateWith({ plans: [docs, photos], planStates: backedUp });
const pause = { since: now, until: null };
const running = { ...calm, runs: [aRun(1)] };

const cases: [string, Connection, State | undefined, string, string, string][] = [
  ['nothing is known yet', 'starting', undefined, 'fine', 'Starting…', '正在启动…'],
  ['the service is away', 'away', calm, 'attention', 'Not running: no backups are made', '未运行，目前没有在备份'],
  [
    'another version runs',
    'other-version',
    undefined,
    'attention',
    'Another version of Holdfast is running',
    '另一个版本的 Holdfast 正在运行',
  ],
  ['there is no plan', 'open', stateWith(), 'fine', 'Nothing is backed up yet', '还没有备份任何内容'],
  ['all is well', 'open', calm, 'fine', 'Your files are safe · last backup 2 hours ago', '文件安全 · 上次备份：2小时前'],
  ['a run is at work', 'open', running, 'working', 'Backing up Documents…', '正在备份“Documents”…'],
  [
    'a run waits for its drive',
    'open',
    { ...calm, runs: [aRun(1, { status: 'waiting' })] },
    'fine',
    'Your files are safe · last backup 2 hours ago',
    '文件安全 · 上次备份：2小时前',
  ],
  ['two runs are at work', 'open', { ...calm, runs: [aRun(1), aRun(2)] }, 'working', '2 runs at work…', '2 个任务正在进行…'],
  ['it is paused', 'open', { ...calm, pause }, 'paused', 'Paused until you resume', '已暂停，等待您恢复'],
  ['it is paused, and a person’s run is at work', 'open', { ...running, pause }, 'paused', 'Paused until you resume', '已暂停，等待您恢复'],
  [
    'something needs the person',
    'open',
    { ...calm, alarms: [anAlarm()] },
    'attention',
    'Something needs your attention',
    '有一件事需要您处理',
  ],
  [
    '… also while a run is at work on it',
    'open',
    { ...running, alarms: [anAlarm(), anAlarm()] },
    'attention',
    '2 things need your attention',
    '有 2 件事需要您处理',
  ],
  [
    '… and while it is paused',
    'open',
    { ...calm, pause, alarms: [anAlarm()] },
    'attention',
    'Something needs your attention',
    '有一件事需要您处理',
  ],
  [
    'a plan has no backup yet',
    'open',
    { ...calm, planStates: backedUp.slice(1) },
    'fine',
    'The first backup has not been made yet',
    '还没有完成第一次备份',
  ],
];

test.each(cases)('when %s', (_, connection, state, icon, english, chinese) => {
  expect(trayIcon({ connection, state })).toBe(icon);
  expect(statusLine({ connection, state }, 'en', now)).toBe(english);
  expect(statusLine({ connection, state }, 'zh-CN', now)).toBe(chinese);
});

test('a plan that is switched off does not count', () => {
  const state = { ...calm, plans: [docs, aPlan('photos', 'Photos', { enabled: false })], planStates: backedUp.slice(0, 1) };
  expect(statusLine({ connection: 'open', state }, 'en', now)).toBe('Your files are safe · last backup 1 hour ago');
});

test('a pause says until when, with the day where it is not today', () => {
  const at = (until: number): string => statusLine({ connection: 'open', state: { ...calm, pause: { since: now, until } } }, 'en', now);
  expect(at(now + hour)).toMatch(/^Paused until \d\d:\d\d/);
  expect(at(now + 40 * hour)).toMatch(/^Paused until (Wednesday|Thursday)/);
});

test('progress is in whole percent, and never whole before the end', () => {
  const at = (bytes: number, totalBytes?: number): number | undefined =>
    percentOf(
      { ...running, progress: [{ run: 1, phase: 'backup', items: 0, bytes, ...(totalBytes === undefined ? {} : { totalBytes }) }] },
      1,
    );
  expect([at(0, 10), at(5, 10), at(10, 10), at(11, 10), at(5, 0), at(5)]).toEqual([0, 50, 99, 99, undefined, undefined]);
});

test('the computer is kept awake only by a run that is known to be at work', () => {
  expect(keepsAwake({ connection: 'open', state: running })).toBe(true);
  expect(keepsAwake({ connection: 'open', state: calm })).toBe(false);
  expect(keepsAwake({ connection: 'open', state: { ...calm, runs: [aRun(1, { status: 'paused' })] } })).toBe(false);
  expect(keepsAwake({ connection: 'away', state: running })).toBe(false);
});
