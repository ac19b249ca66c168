/** Heals data from files on this computer that are what a snapshot says they were. */
import { isInside } from '../../platform/byte-paths.ts';
import type { BlobIndex } from '../../repository/blob-index.ts';
import { bytesOfId } from '../../repository/ids.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import type { WorkerPool } from '../workers/pool.ts';
import type { FileOfSnapshot, TakenFromFile } from './files-job.ts';
import { samePlaces } from './lacking.ts';

/**
 * Takes what is `wanted` (a set of data blobs) from files in `folders`. `snapshots`: the newest first, since what they tell is most
 * likely true still. Without `store` nothing is stored, but noted in the index as if it were.
 */
export async function healFromFiles(
  pool: WorkerPool,
  index: BlobIndex,
  wanted: BlobIndex,
  snapshots: readonly Snapshot[],
  folders: readonly string[],
  store: boolean,
): Promise<TakenFromFile> {
  const best = samePlaces(index);
  const seen = new Uint8Array(new SharedArrayBuffer(index.blobCount));
  const within = folders.map((folder) => Buffer.from(systemPath(Buffer.from(folder))));
  const tried = new Set<string>();
  const sum = { blobs: 0, bytes: 0 };
  for (const { tree } of snapshots) {
    const root = index.entryOf(bytesOfId(tree), 0, 'tree');
    const files = await pool.run('findFilesWith', { root, seen, best, wanted: wanted.memory });
    for (const file of files) {
      const path = systemPath(Buffer.from(file.path));
      const key = keyOf(file);
      if (tried.has(key) || !within.some((folder) => isInside(path, folder))) continue;
      tried.add(key);
      const { blobs, bytes } = await pool.run('takeFromFile', { ...file, path: new Uint8Array(path), wanted: wanted.memory, store });
      sum.blobs += blobs;
      sum.bytes += bytes;
    }
  }
  return sum;
}

const keyOf = ({ path, size, mtimeNs }: FileOfSnapshot): string => `${Buffer.from(path).toString('latin1')}\0${size}\0${mtimeNs}`;

/** A path of a snapshot (`/C/Users`) or of a person (`C:\Users`) as the system takes it, with slashes. */
function systemPath(path: Buffer): Buffer {
  if (process.platform !== 'win32') return path;
  const text = path.toString('utf8').replaceAll('\\', '/');
  const drive = /^\/([A-Za-z])(\/.*)?$/.exec(text);
  return Buffer.from(drive ? `${drive[1]}:${drive[2] ?? '/'}` : text);
}
