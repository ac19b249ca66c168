/**
 * What passes between the coordinator and its workers. Jobs and their results go through the worker's own port and
 * carry batches; while a worker is inside a job it is synchronous, and hears only through the *reply port*, whose
 * arrivals it counts in shared memory.
 */
import type { MessagePort } from 'node:worker_threads';
import type { ErrorJSON } from '../../contract/errors.ts';
import type { MasterKey } from '../../repository/crypto.ts';
import type { BlobIndexMemory, BlobType } from '../../repository/blob-index.ts';
import type { Range, StoredFile } from '../../storage/storage.ts';

/** What a worker is told at the start of a run. */
export interface WorkerStart {
  readonly number: number;
  /** The compiled kernel; see Kernel.module. */
  readonly kernel: object;
  readonly key: MasterKey;
  /** Hex digits. */
  readonly polynomial: string;
  readonly packSize: number;
  readonly index: BlobIndexMemory;
  /** Memory of the run's control. */
  readonly control: SharedArrayBuffer;
  /** One 32-bit word: how many replies were sent to this worker. */
  readonly replies: SharedArrayBuffer;
  /** The worker's own counters; see progress.ts. */
  readonly progress: SharedArrayBuffer;
  /** One 32-bit word shared by all: not 0 once the pool is closed. */
  readonly closed: SharedArrayBuffer;
  /** One 32-bit word shared by all: how many workers have nothing to do. */
  readonly idle: SharedArrayBuffer;
  /** Folder in restic's layout whose files may be read directly. */
  readonly localFolder: string | undefined;
  /** Blobs that are damaged here may be asked for, as they may lie elsewhere. */
  readonly canRescue: boolean;
  /** The nth blob that this worker encodes is damaged; only tests set it. */
  readonly corruptBlob: number | undefined;
  /** The second repository of the run, to be read from; its replies come through a port of their own. */
  readonly source: WorkerStart | undefined;
}

/** Sent to the worker's own port. A run begins, has its jobs, and ends; then the worker is ready for another one. */
export type ToWorker =
  | {
      readonly kind: 'begin';
      readonly start: WorkerStart;
      readonly replies: MessagePort;
      readonly sourceReplies: MessagePort | undefined;
    }
  | JobMessage
  | { readonly kind: 'end' };

export interface JobMessage {
  readonly kind: 'job';
  readonly job: string;
  readonly args: unknown;
  /** The job works on the second repository. */
  readonly onSource?: boolean | undefined;
}

/** Sent to the reply port. */
export type Reply =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'read-failed'; readonly error: ErrorJSON }
  | { readonly kind: 'buffer'; readonly buffer: ArrayBuffer };

export type WorkerMessage =
  /** The run has begun. */
  | { readonly kind: 'ready' }
  /** The run has ended: nothing of it is open any more. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly error: ErrorJSON; readonly stack: string | undefined }
  | { readonly kind: 'pack'; readonly id: Uint8Array; readonly bytes: Uint8Array<ArrayBuffer>; readonly header: Uint8Array }
  | { readonly kind: 'need-buffer'; readonly bytes: number }
  | { readonly kind: 'read'; readonly file: StoredFile; readonly range: Range | undefined }
  /** A blob that is damaged or missing is looked for elsewhere; the answer is its plaintext, empty when it is nowhere. */
  | { readonly kind: 'rescue'; readonly type: BlobType; readonly id: Uint8Array }
  | { readonly kind: 'note'; readonly note: unknown }
  /** Said by what works on the second repository. */
  | { readonly kind: 'of-source'; readonly message: WorkerMessage };
