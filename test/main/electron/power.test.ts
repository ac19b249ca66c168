import { expect, test } from 'vitest';
import { AwakeKeeper, listenToPower } from '../../../main/electron/power.ts';
import { powerMonitor, powerSaveBlocker } from '../../support/fake-electron.ts';

test('the computer’s news are passed on until nobody listens', () => {
  const heard: string[] = [];
  const stop = listenToPower((news) => heard.push(news));
  for (const news of ['suspend', 'resume', 'on-battery', 'on-ac', 'lock-screen']) powerMonitor.emit(news);
  expect(heard).toEqual(['suspend', 'resume', 'on-battery', 'on-ac']);
  stop();
  powerMonitor.emit('resume');
  expect(heard).toHaveLength(4);
  expect(powerMonitor.eventNames()).toEqual([]);
});

test('the computer is kept awake as long as it is wanted, by one wish alone', () => {
  const keeper = new AwakeKeeper();
  keeper.keep(false);
  expect(powerSaveBlocker.held.size).toBe(0);
  keeper.keep(true);
  keeper.keep(true);
  expect(powerSaveBlocker.held.size).toBe(1);
  keeper.keep(false);
  keeper.keep(false);
  expect(powerSaveBlocker.held.size).toBe(0);
  keeper.keep(true);
  expect(powerSaveBlocker.held.size).toBe(1);
});
