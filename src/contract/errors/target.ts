/** Errors of what is written outside a repository: restores and their undo, mirrors, exports. */
import { because, type Entry } from './entry.ts';

export const targetErrors = {
  'target-full': {
    retryable: false,
    words: (c) => ({
      message: `There is no space left where files are being restored (${String(c.path)}). What is restored so far is whole; the backup is not affected.`,
      guidance: 'Free some space, or choose another place, and restore again: files that are there already are not written twice.',
    }),
  },
  'target-too-small': {
    retryable: false,
    words: (c) => ({
      message: `The restore needs ${String(c.needed)} bytes at ${String(c.path)}, and ${String(c.free)} are free. Nothing was changed.`,
      guidance: `Free some space, choose another place, or restore less at a time${c.keeps ? '; with --no-undo, what is replaced makes room' : ''}.`,
    }),
  },
  'target-read-only': {
    retryable: false,
    words: (c) => ({
      message: `Nothing can be written at ${String(c.path)}: it is read-only. The backup is not affected.`,
      guidance: 'Choose another place to restore to.',
    }),
  },
  'target-gone': {
    retryable: false,
    words: (c) => ({
      message: `The place where files are being restored stopped working (${String(c.path)}${c.cause ? `: ${String(c.cause)}` : ''}). The backup is not affected.`,
      guidance: 'Connect the drive again, or choose another place, and restore again.',
    }),
  },
  'target-unusable': {
    retryable: false,
    words: (c) => ({
      message: `Nothing can be restored to ${String(c.path)}${because(c)}. Nothing was changed.`,
      guidance: 'Choose a folder that you may write to.',
    }),
  },

  'target-busy': {
    retryable: true,
    words: (c) => ({
      message: `Another restore, or an undo, is at work at ${String(c.path)}${c.id ? ` (its undo is ${String(c.id)})` : ''}. Nothing was changed.`,
      guidance: 'Wait until it is done, then try again.',
    }),
  },
  'undo-unavailable': {
    retryable: false,
    words: (c) => ({
      message: `What an undo of this restore needs to know could not be kept in ${String(c.path)}${because(c)}. Nothing was changed that could not be brought back.`,
      guidance: 'Make sure that there is space and that you may write there, or restore with --no-undo.',
    }),
  },
  'undo-not-found': {
    retryable: false,
    words: (c) => ({
      message: `No single restore that can be undone has the ID ${String(c.id)}. Nothing was changed.`,
      guidance: 'List them with "holdfast restore --list-undo".',
    }),
  },
  'undo-blocked': {
    retryable: false,
    words: (c) => ({
      message: `A later restore (${String(c.id)}) went to the same place, so this one cannot be undone before it. Nothing was changed.`,
      guidance: 'Undo the later one first, or forget it with "holdfast restore --forget-undo".',
    }),
  },
  'undo-target-gone': {
    retryable: false,
    words: (c) => ({
      message: `What was there before the restore is not where it was kept: ${String(c.path)}${because(c)}. Nothing was changed.`,
      guidance: 'Connect the drive that it is on, then undo again.',
    }),
  },
  'undo-interrupted': {
    retryable: false,
    words: (c) => ({
      message: `The undo could not go on${because(c)}. What it has not brought back yet is still kept.`,
      guidance: 'Remove the cause (connect the drive, free some space, allow writing), then undo again: it goes on from where it was.',
    }),
  },
  'undo-damaged': {
    retryable: false,
    words: (c) => ({
      message: `The journal of this restore, ${String(c.path)}, is damaged${because(c)}. Nothing was changed, and what was there before is still kept.`,
      guidance: 'What it kept is in folders named ".holdfast-undo-…" where it was restored; copy from there by hand.',
    }),
  },

  'mirror-not-empty': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.path)} is no mirror made by Holdfast, and it is not empty. Nothing was changed.`,
      guidance: 'Choose an empty folder, or say with --adopt that it shall become the mirror: what is not in the snapshot goes from it.',
    }),
  },
  'mirror-other': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.path)} is a mirror of something else (${String(c.reason)}). Nothing was changed.`,
      guidance: 'Choose another folder, or say with --adopt that this one shall become the mirror.',
    }),
  },
  'mirror-gone': {
    retryable: false,
    words: (c) => ({
      message: `The mirror that was made at ${String(c.path)} is not there. Nothing was changed.`,
      guidance: 'Connect the drive that it is on; or say with --adopt that it shall be made there anew.',
    }),
  },
  'mirror-lost': {
    retryable: false,
    words: (c) => ({
      message: `The mirror at ${String(c.path)} vanished while it was being written. The backup is not affected.`,
      guidance: 'Connect the drive that it is on, then mirror again: it goes on from what is there.',
    }),
  },
  'mirror-busy': {
    retryable: true,
    words: (c) => ({
      message: `Another run is writing the mirror at ${String(c.path)}. Nothing was changed.`,
      guidance: 'Wait until it is done, then try again.',
    }),
  },

  'export-exists': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.path)} already exists and was left as it is. Nothing was exported.`,
      guidance: 'Choose another name, or say with --force that it may be replaced.',
    }),
  },
  'export-full': {
    retryable: false,
    words: (c) => ({
      message: `There is no space left for ${String(c.path)}, so it was not made. The backup is not affected.`,
      guidance: 'Free some space, choose another place, or export less at a time.',
    }),
  },
  'export-unwritable': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.path)} could not be written${because(c)}, so it was not made. The backup is not affected.`,
      guidance: 'Choose a file name in a folder that is there and that you may write to.',
    }),
  },
} as const satisfies Readonly<Record<string, Entry>>;
