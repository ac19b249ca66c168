/** The folder of a storage whose files can be read synchronously. */
import { dirname } from 'node:path';
import type { Storage } from './storage.ts';

/** Absolute path of the folder that holds config, in restic's layout; undefined for a storage that is not a local folder. */
export const localFolderOf = (storage: Storage): string | undefined =>
  storage.localPath && dirname(storage.localPath({ kind: 'config', name: '' }));
