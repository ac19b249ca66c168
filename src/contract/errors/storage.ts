/** Errors of a place in which files are kept, near or far. */
import { because, type Entry } from './entry.ts';

export const storageErrors = {
  'file-not-found': {
    retryable: false,
    words: (c) => ({
      message: `The file ${String(c.file)} is missing from ${String(c.location)}.`,
      guidance: 'Run a check of this repository to see what is affected.',
    }),
  },
  'file-exists': {
    retryable: false,
    words: (c) => ({
      message: `The file ${String(c.file)} already exists in ${String(c.location)} and was left as it is.`,
      guidance: 'If another program uses this repository, let it finish, then try again.',
    }),
  },
  'file-short': {
    retryable: true,
    words: (c) => ({
      message: `The file ${String(c.file)} in ${String(c.location)} ended early: ${String(c.expected)} bytes were expected, ${String(c.received)} came.`,
      guidance: 'Run a check of this repository to see what is affected.',
    }),
  },
  'storage-failed': {
    retryable: true,
    words: (c) => ({
      message: `${String(c.location)} could not ${String(c.operation)} ${String(c.file)}${because(c)}. Finished snapshots are not affected.`,
      guidance: 'Make sure that the destination is connected and works, then try again.',
    }),
  },
  'storage-full': {
    retryable: false,
    words: (c) => ({
      message: `There is no space left on ${String(c.location)}. Finished snapshots are kept; this run could not be completed.`,
      guidance: 'Free some space there, or thin out old snapshots, then run it again: it carries on from what is stored.',
    }),
  },
  'room-kept': {
    retryable: true,
    words: (c) => ({
      message: `The disk of ${String(c.location)} is nearly full, and what is left of it is kept for everything else on this computer, so no backup was put there. What is stored is not affected.`,
      guidance: 'Make one of the other destinations reachable, or free some space on this computer.',
    }),
  },
  'storage-denied': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.location)} does not allow Holdfast to ${String(c.operation)} ${String(c.file)}${because(c)}. Nothing that is stored was changed.`,
      guidance: 'Give yourself permission to write there, or choose another destination.',
    }),
  },
  'storage-read-only': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.location)} is read-only, so nothing can be stored there. What it holds is not affected.`,
      guidance: 'Make the destination writable, or choose another one.',
    }),
  },
  'storage-gone': {
    retryable: true,
    words: (c) => ({
      message: `${String(c.location)} cannot be reached any more${because(c)}. Finished snapshots are kept; this run could not be completed.`,
      guidance: 'Connect the destination again, then run it again: it carries on from what is stored.',
    }),
  },

  'storage-cannot-replace': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.location)} cannot put one file in the place of another in one step. Nothing was changed.`,
      guidance: 'An upgrade of the repository does without, and keeps a copy of its config on this computer meanwhile.',
    }),
  },
  'storage-append-only': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.location)} only takes additions: what is stored there cannot be removed by Holdfast${because(c)}. Nothing was removed.`,
      guidance: 'Remove old backups on the server itself, or with a user who may delete there.',
    }),
  },
} as const satisfies Readonly<Record<string, Entry>>;
