/** Unmounting on Linux: through UDisks, which lets a person unmount what the desktop has mounted and powers the drive down, else umount(8). */
import { execFile } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { fail, HoldfastError, hasCode } from '../../contract/errors.ts';
import { unlessCancelled } from '../cancellation.ts';
import { systemClock } from '../clock.ts';
import { type DbusConnection, DbusError, systemBusAddress, withBus } from '../dbus/connection.ts';
import { textOf } from '../dbus/wire.ts';
import { syncFileSystem } from '../posix.ts';
import type { Volume } from './volume.ts';

const udisks = 'org.freedesktop.UDisks2';
const blockPath = '/org/freedesktop/UDisks2/block_devices/';
const udisksBusy = `${udisks}.Error.DeviceBusy`;

/** Whoever only looks at a drive, as this program does itself every few seconds, is through in a moment. */
const mostTries = 5;
const againMs = 100;

/** So many programs are named that keep a drive busy. */
const namedAtMost = 5;

export async function ejectLinux(volume: Volume, proc: string, signal: AbortSignal | undefined): Promise<void> {
  const name = volume.name || volume.mountPoint;
  const context = { name, path: volume.mountPoint };
  for (let tries = 1; ; tries++) {
    try {
      if (!volume.isReadOnly) syncAll(volume.mountPoint);
      if (await unmountedByUdisks(volume, signal)) return;
      const env = { PATH: '/usr/sbin:/sbin:/usr/bin:/bin', LC_ALL: 'C' };
      await unlessCancelled(promisify(execFile)('umount', ['--', volume.mountPoint], { env }), signal);
      return;
    } catch (error) {
      if (error instanceof HoldfastError) throw error;
      const cause = reasonOf(error);
      const isBusy = (error instanceof DbusError && error.errorName === udisksBusy) || /target is busy/.test(cause);
      if (!isBusy) return fail('drive-not-ejected', { ...context, cause }, error);
      const programs = await usersOf(volume.mountPoint, proc);
      if (programs.length > 0 || tries === mostTries) return fail('drive-busy', { ...context, programs }, error);
    }
    await systemClock.sleep(againMs, signal);
  }
}

function reasonOf(error: unknown): string {
  const { stderr = '', message } = error as Error & { stderr?: string };
  return (stderr.trim() || message).split('\n')[0] as string;
}

/** What is written is on the drive even if it is then only unplugged. */
function syncAll(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    syncFileSystem(fd);
  } finally {
    closeSync(fd);
  }
}

/** False when UDisks is not there, or does not know the device. */
async function unmountedByUdisks({ device }: Volume, signal: AbortSignal | undefined): Promise<boolean> {
  if (!device.startsWith('/dev/')) return false;
  try {
    return await withBus(systemBusAddress(process.env), signal, async (bus) => {
      if (!(await bus.offers(udisks, signal))) return false;
      const path = blockPath + basename(device).replace(/[^A-Za-z0-9]/g, (each) => `_${each.charCodeAt(0).toString(16).padStart(2, '0')}`);
      const call = { destination: udisks, path, interface: `${udisks}.Filesystem`, member: 'Unmount', signature: 'a{sv}', body: [[]] };
      await bus.call(call, signal);
      await powerOff(bus, path, signal);
      return true;
    });
  } catch (error) {
    if (hasCode(error, 'cancelled') || (error instanceof DbusError && error.errorName === udisksBusy)) throw error;
    return false;
  }
}

/** So that its disk stands still when it is unplugged. What cannot be powered off, or has other volumes in use, stays on. */
async function powerOff(bus: DbusConnection, path: string, signal: AbortSignal | undefined): Promise<void> {
  try {
    const drive = textOf(await bus.property({ destination: udisks, path, interface: `${udisks}.Block` }, 'Drive', signal));
    const object = { destination: udisks, path: drive, interface: `${udisks}.Drive` };
    if ((await bus.property(object, 'CanPowerOff', signal)) !== true) return;
    await bus.call({ ...object, member: 'PowerOff', signature: 'a{sv}', body: [[]] }, signal);
  } catch (error) {
    if (!(error instanceof DbusError)) throw error;
  }
}

/** The programs, as far as this person may see them, that have something open in a folder, or work in it. */
async function usersOf(folder: string, proc: string): Promise<string[]> {
  const found = new Set<string>();
  for (const pid of await readdir(proc).catch(() => [])) {
    if (!/^\d+$/.test(pid) || found.size === namedAtMost) continue;
    const links = ['cwd', 'root', 'exe', ...(await readdir(join(proc, pid, 'fd')).catch(() => [])).map((fd) => `fd/${fd}`)];
    for (const link of links) {
      const target = await readlink(join(proc, pid, link)).catch(() => '');
      if (target !== folder && !target.startsWith(`${folder}/`)) continue;
      const program = await readFile(join(proc, pid, 'comm'), 'utf8').catch(() => '');
      found.add(`${program.trim()} (${pid})`);
      break;
    }
  }
  return [...found];
}
