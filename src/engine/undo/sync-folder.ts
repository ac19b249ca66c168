/** Names in a folder, brought onto the disk. */
import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Windows has no such call and needs none on NTFS. Throws what the system does. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
