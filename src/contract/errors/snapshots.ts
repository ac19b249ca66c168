/** Errors of snapshots: what they are made of, which are kept, and where they go. */
import { because, type Entry } from './entry.ts';

export const snapshotErrors = {
  'retention-empties-group': {
    retryable: false,
    words: (c) => ({
      message:
        c.group === undefined
          ? 'This policy keeps nothing, so every snapshot would go. Nothing was removed.'
          : `This policy would remove every snapshot (${String(c.snapshots)}) of this group: ${String(c.group)}. Nothing was removed.`,
      guidance: 'Add a rule that keeps at least one snapshot, for example --keep-last 1.',
    }),
  },
  'snapshot-time-unreadable': {
    retryable: false,
    words: (c) => ({
      message: `The time of the snapshot ${String(c.snapshot)}, “${String(c.time)}”, cannot be read, so its age is unknown. Nothing was removed.`,
      guidance: 'Run a check of this repository; a damaged snapshot can be removed by naming it.',
    }),
  },
  'last-of-group': {
    retryable: false,
    words: (c) => ({
      message: `This would remove every snapshot (${String(c.snapshots)}) of this group: ${String(c.group)}. Nothing was removed.`,
      guidance: 'Keep one of them, or say with --force that all of them may go.',
    }),
  },
  'plan-outdated': {
    retryable: true,
    words: (c) => ({
      message: `The repository changed after this was planned: snapshot ${String(c.snapshot).slice(0, 8)}, which was to be kept, is gone. Nothing was removed.`,
      guidance: 'Run it again: it is planned anew.',
    }),
  },
  'rewrite-empties-snapshot': {
    retryable: false,
    words: (c) => ({
      message: `This would leave nothing but empty folders of snapshot ${String(c.snapshot).slice(0, 8)}, and remove the snapshot itself. No snapshot was changed.`,
      guidance: 'Correct the patterns, or leave that snapshot out; to remove it as a whole use "holdfast forget".',
    }),
  },
  'prune-refused': {
    retryable: false,
    words: (c) => ({
      message: `The repository was not pruned, because ${String(c.problem)}. Nothing that a snapshot needs was deleted.`,
      guidance: 'Run a check to see what is affected, repair or forget that, then prune again.',
    }),
  },

  'same-place': {
    retryable: false,
    words: (c) => ({
      message: `Both places are the same one, the repository at ${String(c.location)}. Nothing was changed.`,
      guidance: 'Name another place.',
    }),
  },
  'place-occupied': {
    retryable: false,
    words: (c) => ({
      message: `The repository was not moved to ${String(c.location)}, because ${String(c.problem)}. Nothing was changed there.`,
      guidance: 'Choose a new or an empty folder.',
    }),
  },
  'place-too-small': {
    retryable: false,
    words: (c) => ({
      message: `The repository needs ${String(c.needed)} bytes at ${String(c.location)}, and ${String(c.free)} are free. Nothing was changed.`,
      guidance: 'Free some space there, or choose another place.',
    }),
  },
  'move-stopped': {
    retryable: false,
    words: (c) => ({
      message: `The repository at ${String(c.location)} was not moved, because ${String(c.problem)}. It was left as it is.`,
      guidance: 'Run a check to see what is affected; "holdfast copy" takes over every snapshot that is whole.',
    }),
  },

  'source-missing': {
    retryable: false,
    words: (c) => ({
      message: `Nothing that should be backed up exists: ${String(c.path)}. No snapshot was made; older ones are kept.`,
      guidance: 'Check the names of the folders, and connect the drive they are on.',
    }),
  },
  'source-in-destination': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.path)} lies inside the destination ${String(c.location)}: the backup would back itself up. Nothing was stored.`,
      guidance: 'Choose a destination outside the folders that are backed up.',
    }),
  },

  'snapshot-invalid': {
    retryable: false,
    words: (c) => ({
      message: `Snapshot ${String(c.snapshot).slice(0, 8)} is damaged${because(c)}. Other snapshots are not affected.`,
      guidance: 'Use another snapshot, and run a check of this repository.',
    }),
  },
  'snapshot-too-large': {
    retryable: false,
    words: (c) => ({
      message: `Snapshot ${String(c.snapshot).slice(0, 8)} says that it holds ${String(c.entries)} files and folders, more than any disk can hold: its folders repeat each other again and again. No backup program makes such a snapshot.`,
      guidance: 'Do not trust this repository; use another snapshot of it, or another copy.',
    }),
  },
  'snapshot-not-found': {
    retryable: false,
    words: (c) => ({
      message: `There is no snapshot ${String(c.snapshot)} in this repository. Nothing was changed.`,
      guidance: 'List the snapshots with "holdfast snapshots" and choose one of them, or "latest".',
    }),
  },
  'snapshot-ambiguous': {
    retryable: false,
    words: (c) => ({
      message: `Several snapshots begin with ${String(c.snapshot)}. Nothing was changed.`,
      guidance: 'Give more digits of the ID.',
    }),
  },
  'snapshot-path-not-found': {
    retryable: false,
    words: (c) => ({
      message: `Snapshot ${String(c.snapshot).slice(0, 8)} holds nothing at ${String(c.path)}.`,
      guidance: 'List what it holds with "holdfast ls".',
    }),
  },
} as const satisfies Readonly<Record<string, Entry>>;
