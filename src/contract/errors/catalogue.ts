/** Errors of the catalogue. */
import { because, type Entry } from './entry.ts';

export const catalogueErrors = {
  'not-catalogued': {
    retryable: true,
    words: (c) => ({
      message: `The catalogue does not know the snapshot ${String(c.snapshot).slice(0, 8)}, or not yet. The snapshot itself is not affected.`,
      guidance: 'Wait until the catalogue is complete, or look into the snapshot itself with "holdfast ls".',
    }),
  },
  'catalogue-failed': {
    retryable: true,
    words: (c) => ({
      message: `The catalogue in ${String(c.path)} could not be read or written${because(c)}. It is only an aid for looking: backups are not affected.`,
      guidance: 'Make sure that its disk has space and can be written to, then try again.',
    }),
  },
} as const satisfies Readonly<Record<string, Entry>>;
