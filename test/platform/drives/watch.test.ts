import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { nextTurn, systemClock } from '../../../src/platform/clock.ts';
import { type DriveEvent, systemDrives, watchDrives } from '../../../src/platform/drives/drives.ts';
import type { Drives, Volume } from '../../../src/platform/drives/volume.ts';
import { canMountDisks } from '../../support/disk.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { makeDrive, mountPoints, must } from '../../support/volumes.ts';

const volume = (device: string, more: Partial<Volume> = {}): Volume => ({
  mountPoint: `/media/${device}`,
  device,
  name: '',
  fileSystem: 'ext4',
  uuid: undefined,
  root: '/',
  space: undefined,
  isRemovable: true,
  isReadOnly: false,
  isNetwork: false,
  ...more,
});

/** Drives of which a test says which there are; each word of the fingerprint is one look. */
function watching() {
  const clock = new FakeClock();
  const abort = new AbortController();
  const events: string[] = [];
  const state = { volumes: [] as Volume[] | Error, fingerprint: '0' as string | Error, lists: 0 };
  const given = <T>(value: T | Error): T => {
    if (value instanceof Error) throw value;
    return value as T;
  };
  const drives: Pick<Drives, 'list' | 'fingerprint'> = {
    list: async () => {
      state.lists++;
      return given(state.volumes);
    },
    fingerprint: async () => given(state.fingerprint),
  };
  const ended = watchDrives(clock, drives as Drives, ({ kind, volume: { device } }) => void events.push(`${kind} ${device}`), abort.signal);
  onTestFinished(() => abort.abort());
  const after = async (change: Partial<typeof state>): Promise<string[]> => {
    Object.assign(state, change);
    events.length = 0;
    await clock.advance(2000);
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    return [...events];
  };
  return { clock, abort, state, after, ended };
}

test('tells what is there at first, then what arrives, leaves and changes', async () => {
  const { after } = watching();
  expect(await after({ volumes: [volume('a'), volume('b')], fingerprint: '1' })).toEqual(['arrived a', 'arrived b']);
  expect(await after({ volumes: [volume('b'), volume('c')], fingerprint: '2' })).toEqual(['left a', 'arrived c']);
  expect(await after({ volumes: [volume('b', { isReadOnly: true }), volume('c')], fingerprint: '3' })).toEqual(['changed b']);
  expect(
    await after({ volumes: [volume('b', { isReadOnly: true }), volume('c', { mountPoint: '/elsewhere' })], fingerprint: '4' }),
  ).toEqual(['changed c']);
});

test('two with the same UUID are two', async () => {
  const { after } = watching();
  expect(await after({ volumes: [volume('a', { uuid: 'x' }), volume('b', { uuid: 'x' })], fingerprint: '1' })).toEqual([
    'arrived a',
    'arrived b',
  ]);
  expect(await after({ volumes: [volume('b', { uuid: 'x' })], fingerprint: '2' })).toEqual(['left a']);
});

test('another drive in the place of one is another', async () => {
  const { after } = watching();
  await after({ volumes: [volume('a', { uuid: 'x' })], fingerprint: '1' });
  expect(await after({ volumes: [volume('a', { uuid: 'y' })], fingerprint: '2' })).toEqual(['left a', 'arrived a']);
});

test('lists only when something changed, and free space is no change', async () => {
  const { after, state } = watching();
  await after({ volumes: [volume('a')], fingerprint: '1' });
  const { lists } = state;
  for (let time = 0; time < 10; time++) expect(await after({})).toEqual([]);
  expect(state.lists).toBe(lists);
  expect(await after({ volumes: [volume('a', { space: { capacityBytes: 2, freeBytes: 1 } })], fingerprint: '2' })).toEqual([]);
});

test('a look that fails makes nothing leave, and is repeated', async () => {
  const { after } = watching();
  await after({ volumes: [volume('a')], fingerprint: '1' });
  expect(await after({ volumes: new Error('EIO'), fingerprint: '2' })).toEqual([]);
  expect(await after({ fingerprint: new Error('EIO') })).toEqual([]);
  expect(await after({ volumes: [volume('b')], fingerprint: '2' })).toEqual(['left a', 'arrived b']);
});

test('ends when it is cancelled, and leaves no timer', async () => {
  const { clock, abort, ended, after } = watching();
  await after({ volumes: [volume('a')] });
  abort.abort();
  await ended;
  expect(clock.pending).toBe(0);
});

test.skipIf(!canMountDisks)('notices a real drive that is plugged in, written to, made read-only and pulled out', async () => {
  const parent = mountPoints();
  const drive = makeDrive('ext4', { label: 'stick' });
  const abort = new AbortController();
  const seen: DriveEvent[] = [];
  const hasty = { ...systemClock, sleep: (_: number, signal?: AbortSignal) => systemClock.sleep(5, signal) };
  const ended = watchDrives(
    hasty,
    systemDrives(),
    (event) => event.volume.mountPoint.startsWith(parent) && void seen.push(event),
    abort.signal,
  );
  onTestFinished(() => abort.abort());
  const next = async (): Promise<string> => {
    while (seen.length === 0) await systemClock.sleep(5);
    const {
      kind,
      volume: { mountPoint, isReadOnly },
    } = seen.shift() as DriveEvent;
    return `${kind} ${mountPoint}${isReadOnly ? ' ro' : ''}`;
  };
  const folder = drive.mount(join(parent, 'disk'));
  expect(await next()).toBe(`arrived ${folder}`);
  writeFileSync(join(folder, 'x'), Buffer.alloc(100_000));
  must('mount', '-o', 'remount,ro', folder);
  expect(await next()).toBe(`changed ${folder} ro`);
  must('umount', '-l', folder);
  expect(await next()).toBe(`left ${folder} ro`);
  mkdirSync(join(parent, 'other'));
  expect(drive.mount(join(parent, 'other'))).toBe(join(parent, 'other'));
  expect(await next()).toBe(`arrived ${join(parent, 'other')}`);
  abort.abort();
  await ended;
});
