/** Small disks of their own, mounted through a loop device, so that they can be full and read-only. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { must } from './volumes.ts';

const ran = (program: string, ...args: string[]): boolean => spawnSync(program, args, { stdio: 'ignore' }).status === 0;

/** Whether this machine lets tests mount: root, and not in a container without the right. */
export const canMountDisks = ((): boolean => {
  if (process.getuid?.() !== 0 || process.platform !== 'linux') return false;
  const probe = mkdtempSync(join(tmpdir(), 'holdfast-mount-'));
  const mounted = ran('mount', '-t', 'tmpfs', 'tmpfs', probe) && ran('umount', '-l', probe);
  rmSync(probe, { recursive: true });
  return mounted && ran('sh', '-c', 'command -v mkfs.ext4 && test -e /dev/loop-control');
})();

export interface Disk {
  /** The mount point. */
  readonly folder: string;
  remount(mode: 'ro' | 'rw'): void;
  /** Makes the disk larger, to so many bytes. */
  grow(bytes: number): void;
}

/** An empty ext4 disk of so many bytes, mounted until the running test has finished. */
export function mountDisk(bytes: number, options: { inodes?: number } = {}): Disk {
  const parent = mkdtempSync(join(tmpdir(), 'holdfast-disk-'));
  const [image, folder] = [join(parent, 'image'), join(parent, 'disk')];
  onTestFinished(() => {
    while (ran('mountpoint', '-q', folder)) ran('umount', '-l', folder);
    rmSync(parent, { recursive: true });
  });
  mkdirSync(folder);
  writeFileSync(image, '');
  truncateSync(image, bytes);
  // Without the blocks that only root may use, since the tests run as root.
  must('mkfs.ext4', '-q', '-m', '0', '-N', String(options.inodes ?? 2000), '-E', 'resize=60000', image);
  must('mount', '-o', 'loop', image, folder);
  return {
    folder,
    remount: (mode) => must('mount', '-o', `remount,${mode}`, folder),
    grow(size) {
      must('umount', folder);
      truncateSync(image, size);
      ran('e2fsck', '-fy', image);
      must('resize2fs', image);
      must('mount', '-o', 'loop', image, folder);
    },
  };
}

/** An empty disk in memory, of so many bytes: where ext4 refuses a write as a whole, it takes as much as fits. */
export function mountMemory(bytes: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-memory-'));
  must('mount', '-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder);
  onTestFinished(() => {
    ran('umount', '-l', folder);
    rmSync(folder, { recursive: true });
  });
  return folder;
}

/** Fills a disk with the file `filling` up to so many bytes. */
export function fillDisk(folder: string, left: number): void {
  const spare = join(folder, 'spare');
  writeFileSync(spare, Buffer.alloc(left), { flush: true });
  for (;;) {
    try {
      writeFileSync(join(folder, 'filling'), Buffer.alloc(4096), { flag: 'a', flush: true });
    } catch {
      break;
    }
  }
  rmSync(spare);
}
