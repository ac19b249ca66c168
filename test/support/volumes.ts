/** File systems in images, which tests plug in, move and pull out. Needs `canMountDisks` (disk.ts). */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/**
 * Runs a program, which must succeed. What is to be unmounted may be busy for a moment: whoever lists drives looks at all of them, also at
 * those of other tests.
 */
export function must(program: string, ...args: string[]): void {
  for (let tries = 1; ; tries++) {
    const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    if (status === 0) return;
    if (program !== 'umount' || !stderr.includes('busy') || tries === 100)
      throw new Error(`${program} ${args.join(' ')} exited with ${status}:\n${stderr}`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
}

/** A drive that is not plugged in. */
export interface Drive {
  /** Plugs it in: mounts it at this folder, which is made. */
  mount(folder: string, options?: string): string;
  /** Plugs it in without mounting it. Returns the device, until the running test has finished. */
  attach(): string;
  /** The same bits on another drive. */
  clone(): Drive;
}

/** A place for mount points; whatever is still mounted below is unmounted when the running test has finished. */
export function mountPoints(): string {
  const parent = mkdtempSync(join(tmpdir(), 'holdfast-volumes-'));
  onTestFinished(() => {
    unmountBelow(parent);
    rmSync(parent, { recursive: true });
  });
  return parent;
}

/** Inner ones first, as often as they were mounted. */
function unmountBelow(folder: string): void {
  const { stdout } = spawnSync('findmnt', ['--noheadings', '--raw', '--output', 'ID,TARGET'], { encoding: 'utf8' });
  for (const line of stdout.trim().split('\n').reverse()) {
    const target = line
      .slice(line.indexOf(' ') + 1)
      .replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    const path = Buffer.from(target, 'latin1').toString('utf8');
    if (path.startsWith(folder)) spawnSync('umount', ['-l', '--', path]);
  }
}

export function makeDrive(
  fileSystem: 'ext4' | 'vfat' | 'btrfs',
  { label = '', uuid = '', megabytes = fileSystem === 'btrfs' ? 120 : 4 } = {},
): Drive {
  const parent = mkdtempSync(join(tmpdir(), 'holdfast-drive-'));
  onTestFinished(() => rmSync(parent, { recursive: true }));
  const image = join(parent, 'image');
  writeFileSync(image, '');
  truncateSync(image, megabytes << 20);
  if (fileSystem === 'ext4')
    must('mkfs.ext4', '-q', '-m', '0', '-O', '^has_journal', ...(label && ['-L', label]), ...(uuid && ['-U', uuid]), image);
  else if (fileSystem === 'btrfs') must('mkfs.btrfs', '-q', ...(label && ['-L', label]), ...(uuid && ['-U', uuid]), image);
  else must('mkfs.vfat', ...(label && ['-n', label]), ...(uuid && ['-i', uuid.replace('-', '')]), image);
  return driveOf(image);
}

function driveOf(image: string): Drive {
  return {
    mount(folder, options = 'rw') {
      mkdirSync(folder, { recursive: true });
      must('mount', '-o', `loop,${options}`, image, folder);
      return folder;
    },
    attach() {
      const { stdout, stderr, status } = spawnSync('losetup', ['--find', '--show', image], { encoding: 'utf8' });
      if (status !== 0) throw new Error(`losetup exited with ${status}:\n${stderr}`);
      const device = stdout.trim();
      onTestFinished(() => must('losetup', '--detach', device));
      return device;
    },
    clone() {
      cpSync(image, `${image}-clone`);
      return driveOf(`${image}-clone`);
    },
  };
}
