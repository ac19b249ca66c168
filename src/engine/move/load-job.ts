/** Jobs: read whole files of a repository and hash them. Every file but config is named by the hash of its bytes. */
import { sha256 } from '../../repository/ids.ts';
import type { StoredFile } from '../../storage/storage.ts';
import type { WorkerContext } from '../workers/context.ts';

/** The bytes of a file; undefined when they are not what its name says. Throws what reading throws. */
export function loadNamed(file: StoredFile, context: WorkerContext): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(context.readWhole(file));
  if (sha256(bytes).toString('hex') !== file.name) return undefined;
  context.transfer.push(bytes.buffer);
  return bytes;
}

/** The hash of a file, 64 hex digits. Throws what reading throws. */
export const hashOf = (file: StoredFile, context: WorkerContext): string => sha256(context.readWhole(file)).toString('hex');
