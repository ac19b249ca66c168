/** Errors of what the app shows: snapshots of all destinations together, long lists, receipts, folders of the computer. */
import { because, type Entry } from './entry.ts';

export const appErrors = {
  'snapshot-unreachable': {
    retryable: true,
    words: (c) => ({
      message: `None of the destinations that hold this snapshot can be reached now: ${String(c.destinations)}. The snapshot itself is not affected.`,
      guidance: 'Plug the drive in, or connect to the network, then try again.',
    }),
  },
  'snapshot-pinned': {
    retryable: false,
    words: (c) => ({
      message: `${c.snapshots === 1 ? 'One of these snapshots is' : `${String(c.snapshots)} of these snapshots are`} pinned, so nothing was deleted.`,
      guidance: 'Unpin what may go, then delete it.',
    }),
  },
  'sheet-not-found': {
    retryable: false,
    words: () => ({
      message: 'This list is not kept any more, since nobody has looked at it for a while. Nothing was changed.',
      guidance: 'Ask for it again.',
    }),
  },
  'receipt-not-found': {
    retryable: false,
    words: (c) => ({
      message: `Run ${String(c.run)} has no receipt: it is no restore, or it has not ended. Nothing was changed.`,
      guidance: 'Wait until the restore has ended.',
    }),
  },
  'download-damaged': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.path)} is damaged in this destination, so the download was broken off: a ZIP without it must not look whole.`,
      guidance: 'Restore to a folder instead: what is whole is restored, and the rest is read from another destination if one has it.',
    }),
  },
  'folder-unreadable': {
    retryable: false,
    words: (c) => ({
      message: `The folder ${String(c.path)} cannot be looked into${because(c)}. Nothing was changed.`,
      guidance: 'Choose another folder, or let the system allow you to read this one.',
    }),
  },
} as const satisfies Readonly<Record<string, Entry>>;
