/** Errors of the keychain and of drives. */
import { because, type Entry } from './entry.ts';

export const desktopErrors = {
  'keychain-absent': {
    retryable: false,
    words: (c) => ({
      message: `This computer has no keychain that Holdfast can use${because(c)}. Nothing was changed.`,
      guidance:
        'Give the password in a file with --password-file or HOLDFAST_PASSWORD_FILE, and credentials in one with --credentials-file.',
    }),
  },
  'keychain-locked': {
    retryable: false,
    words: (c) => ({
      message: `The keychain of this computer is locked${because(c)}, so what it keeps for Holdfast cannot be used. Nothing was changed.`,
      guidance: 'Unlock it, mostly by logging in at the screen, or give the password with --password-file.',
    }),
  },
  'keychain-refused': {
    retryable: false,
    words: (c) => ({
      message: `The keychain of this computer did not ${String(c.operation)} the secret of "${String(c.account)}"${because(c)}. What it keeps was not changed.`,
      guidance: 'Keep this secret in a file that only you can read instead, and name it with --password-file or --credentials-file.',
    }),
  },
  'drive-busy': {
    retryable: true,
    words: (c) => ({
      message: `The drive ${String(c.name)} is still in use${Array.isArray(c.programs) && c.programs.length > 0 ? ` by ${c.programs.join(', ')}` : ''}, so it was not ejected. What was written to it is safe.`,
      guidance: 'Close what uses it and eject it again before you unplug it.',
    }),
  },
  'drive-not-ejected': {
    retryable: false,
    words: (c) => ({
      message: `The drive ${String(c.name)} could not be ejected${because(c)}. It may still be written to.`,
      guidance: 'Eject it with the file manager of this computer before you unplug it.',
    }),
  },
  'drive-not-mounted': {
    retryable: true,
    words: (c) => ({
      message: `${String(c.path)} belongs to a drive that is not plugged in: nothing is mounted at ${String(c.mountPoint)}. Nothing was written.`,
      guidance: 'Plug the drive in, then try again.',
    }),
  },
  'folder-not-opened': {
    retryable: true,
    words: (c) => ({
      message: `${String(c.path)} could not be opened${because(c)}. Nothing was changed.`,
      guidance: 'Look for it with the file manager of this computer.',
    }),
  },
  'update-absent': {
    retryable: false,
    words: () => ({
      message: 'There is no new version of Holdfast that could be installed.',
      guidance: 'Look for updates first.',
    }),
  },
  'update-failed': {
    retryable: true,
    words: (c) => ({
      message: `It could not be found out whether there is a new version of Holdfast${because(c)}. Your backups go on as before.`,
      guidance: 'See that this computer is connected to the internet; Holdfast looks again tomorrow.',
    }),
  },
  'update-refused': {
    retryable: false,
    words: (c) => ({
      message: `A new version of Holdfast was not installed, since it could not be proved to be genuine${because(c)}. Your backups go on as before.`,
      guidance: 'Get the new version from where you got Holdfast, and tell its makers.',
    }),
  },
} as const satisfies Readonly<Record<string, Entry>>;
