/** New repositories are not made where a drive should be and is not. */
import { fail } from '../contract/errors.ts';
import { systemDrives } from '../platform/drives/drives.ts';
import type { Storage } from './storage.ts';
import { localFolderOf } from './local-folder.ts';

/**
 * Throws `drive-not-mounted` when the folder of this storage lies at a mount point at which nothing is mounted: the repository would fill
 * the system's own disk, and be hidden when the drive is back. What cannot be found out speaks against nothing.
 */
export async function refuseEmptyMountPoint(storage: Storage): Promise<void> {
  const folder = localFolderOf(storage);
  if (folder === undefined) return;
  const mountPoint = await systemDrives()
    .emptyMountPoint(folder)
    .catch(() => undefined);
  if (mountPoint !== undefined) fail('drive-not-mounted', { path: folder, mountPoint });
}
