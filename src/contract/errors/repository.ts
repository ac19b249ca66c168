/** Errors of a repository as a whole, and of what it is made of. */
import { because, type Entry } from './entry.ts';

export const repositoryErrors = {
  'tree-invalid': {
    retryable: false,
    words: (c) => ({
      message: `The list of a folder${c.tree ? ` (${String(c.tree)})` : ''} is damaged: ${String(c.reason)}. What is in this folder cannot be restored from the snapshots that share this list; all other folders are not affected.`,
      guidance: 'Run a check of this repository to see what is affected.',
    }),
  },

  'tree-unknown-form': {
    retryable: false,
    words: (c) => ({
      message: `The list of a folder (${String(c.tree).slice(0, 12)}) holds more than this version of Holdfast knows, so it cannot be written anew without losing some of it. Nothing of it was changed.`,
      guidance: 'Use the newest version of the program that wrote the snapshot to rewrite it.',
    }),
  },

  'item-tampered': {
    retryable: false,
    words: (c) => ({
      message: `${c.file ? `The file ${String(c.file)}` : 'A piece of this repository'} is damaged or was changed after it was written, so nothing of it was used.`,
      guidance: 'Run a check that reads all data to see which files are affected.',
    }),
  },
  'bad-polynomial': {
    retryable: false,
    words: (c) => ({
      message: `This repository's config names a chunker polynomial that cannot be used: ${String(c.problem)}. Nothing was changed.`,
      guidance: 'Do not write to this repository; restore its config file from another copy of the repository.',
    }),
  },

  'repository-not-found': {
    retryable: false,
    words: (c) => ({
      message: `There is no backup repository at ${String(c.location)}. Nothing was changed.`,
      guidance: 'Check the place, connect the drive it is on, or make a repository there with "holdfast init".',
    }),
  },
  'repository-exists': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.location)} already holds a backup repository. It was left as it is.`,
      guidance: 'Use it as it is, or choose an empty folder for a new one.',
    }),
  },
  'repository-version': {
    retryable: false,
    words: (c) => ({
      message: `This repository has format version ${String(c.version)}; Holdfast works with version 2. Its data is not affected.`,
      guidance:
        c.version === 1
          ? '"holdfast migrate" upgrades it; "holdfast migrate --help" says what that means.'
          : 'Use a newer Holdfast for it.',
    }),
  },
  'migrate-refused': {
    retryable: false,
    words: (c) => ({
      message: `The repository was not upgraded, because ${String(c.problem)}. Nothing was changed.`,
      guidance: 'Look at what the check says; repair or forget what is damaged, then run "holdfast migrate" again.',
    }),
  },
  'config-not-kept': {
    retryable: false,
    words: (c) => ({
      message: `A copy of the repository's config file could not be kept in ${String(c.path)}${because(c)}. Nothing was changed.`,
      guidance: 'Make sure that there is space and that you may write there, then try again.',
    }),
  },
  'config-not-replaced': {
    retryable: false,
    words: (c) => ({
      message: `The config file of ${String(c.location)} was removed to be replaced, and the new one could not be stored${because(c)}. Its data is whole; until the config is back, it cannot be opened. A copy of it is in ${String(c.path)}.`,
      guidance: 'When the destination works again, run "holdfast migrate" on this computer: it finds the copy and completes the upgrade.',
    }),
  },
  'config-invalid': {
    retryable: false,
    words: (c) => ({
      message: `The repository's config file is damaged${because(c)}, so the repository cannot be opened. Its packs may be whole.`,
      guidance: 'Restore the config file from a copy of this repository.',
    }),
  },
  'wrong-password': {
    retryable: false,
    words: (c) => ({
      message: `The password does not open the repository at ${String(c.location)}. Nothing was changed.`,
      guidance: 'Try again with the right password; it stands in the recovery kit.',
    }),
  },
  'password-missing': {
    retryable: false,
    words: () => ({
      message: 'No password was given for this repository. Nothing was changed.',
      guidance: 'Give it with --password-file FILE, or in HOLDFAST_PASSWORD or HOLDFAST_PASSWORD_FILE.',
    }),
  },
  'password-empty': {
    retryable: false,
    words: () => ({
      message: 'An empty password protects nothing. Nothing was changed.',
      guidance: 'Choose a password with at least one character, better a long one.',
    }),
  },
  'key-invalid': {
    retryable: false,
    words: (c) => ({
      message: `A key file of this repository is damaged${because(c)}. Other passwords of the repository still open it.`,
      guidance: 'Open it with another password, or restore the key file from a copy of this repository.',
    }),
  },
  'key-not-found': {
    retryable: false,
    words: (c) => ({
      message: `No single key of this repository begins with ${String(c.key)}. Nothing was changed.`,
      guidance: 'List the keys with "holdfast key list" and give more of the ID.',
    }),
  },
  'key-in-use': {
    retryable: false,
    words: () => ({
      message: 'This is the key that the repository was opened with. It was kept, so that you cannot lock yourself out.',
      guidance: 'Open the repository with another password to remove this one.',
    }),
  },
  'index-invalid': {
    retryable: false,
    words: (c) => ({
      message: `An index file of the repository is damaged${because(c)}. The packs that it lists may be whole.`,
      guidance: 'Run a check; "holdfast repair index" makes the index anew from the packs.',
    }),
  },
  'index-too-large': {
    retryable: false,
    words: (c) => ({
      message: `The index of this repository needs more memory than this computer gives (${String(c.bytes)} bytes so far). The backup is not affected.`,
      guidance: 'Close other programs and try again, or use a computer with more memory.',
    }),
  },
  'pack-invalid': {
    retryable: false,
    words: (c) => ({
      message: `A pack of the repository is damaged${because(c)}. Files that need it cannot be restored from here.`,
      guidance: 'Run a check with --read-data to see which files are affected.',
    }),
  },
  'pack-lost': {
    retryable: false,
    words: (c) => ({
      message: `Pack ${String(c.pack).slice(0, 12)} is missing from the repository or has the wrong size. Older snapshots may have lost files.`,
      guidance: 'Run a check to see which files are affected; a backup stores what still exists on this computer again.',
    }),
  },
  'blob-missing': {
    retryable: false,
    words: (c) => ({
      message: `The ${c.type === 'tree' ? 'folder listing' : 'piece of data'} ${String(c.blob).slice(0, 12)} is missing from the repository. Files that need it cannot be restored from here.`,
      guidance: 'Run a check to see which files are affected; a new backup stores what still exists on this computer again.',
    }),
  },
  'id-not-found': {
    retryable: false,
    words: (c) => ({
      message: `No ${String(c.what)} in this repository has an ID that begins with ${String(c.id)}. Nothing was changed.`,
      guidance: 'Check the ID; the full one of a blob is looked for even when the blob itself is missing.',
    }),
  },
  'index-incomplete': {
    retryable: false,
    words: (c) => ({
      message: `The index of this repository does not say all that its packs hold (${String(c.problem)}), so what looks lost may still be there. Nothing was changed.`,
      guidance: 'Run "holdfast repair index" first, then this again.',
    }),
  },
  'pack-not-found': {
    retryable: false,
    words: (c) => ({
      message: `No single pack of this repository begins with ${String(c.pack).slice(0, 12)}. Nothing was changed.`,
      guidance: 'Give more of the ID, or let "holdfast repair packs --damaged" find the packs that need it.',
    }),
  },
  'pack-not-kept': {
    retryable: false,
    words: (c) => ({
      message: `The damaged pack ${String(c.pack).slice(0, 12)} could not be kept aside as ${String(c.path)}${because(c)}, so it was not removed from the repository.`,
      guidance: 'Name a folder with enough space with --keep-in, then run it again.',
    }),
  },
  'encoding-failed': {
    retryable: false,
    words: (c) => ({
      message: `What was about to be stored (${String(c.blob).slice(0, 16)}) could not be read back correctly, so it was not stored. Finished snapshots are not affected.`,
      guidance: "This points to failing memory or another hardware fault: test this computer's memory before backing up again.",
    }),
  },
  locked: {
    retryable: true,
    words: (c) => ({
      message: `Another program is using ${c.location ? `the repository at ${String(c.location)}` : 'this repository'}${c.exclusive ? ' for itself alone' : ''}: ${String(c.program)} on ${String(c.host)}, since ${String(c.since)}. Nothing was changed.`,
      guidance: 'Wait until it is done. If you know that it is not running any more, use "holdfast unlock".',
    }),
  },
  'lock-unreadable': {
    retryable: false,
    words: (c) => ({
      message: `A lock file of this repository cannot be read${because(c)}, so nobody knows whether another program is using it. Nothing was changed.`,
      guidance: 'Make sure that nothing else uses the repository, then use "holdfast unlock --remove-all".',
    }),
  },
  'lock-lost': {
    retryable: true,
    words: () => ({
      message:
        'This run lost its lock on the repository, probably while the computer slept, so it stopped writing. Finished snapshots are not affected.',
      guidance: 'Run it again: it carries on from what is stored.',
    }),
  },
} as const satisfies Readonly<Record<string, Entry>>;
