/** Errors of any verb. */
import { because, type Entry } from './entry.ts';

export const generalErrors = {
  internal: {
    retryable: false,
    words: (c) => ({
      message: `Something unexpected went wrong inside Holdfast${because(c)}. Finished snapshots are not affected.`,
      guidance: 'Try again; if it happens again, report it together with this text.',
    }),
  },
  cancelled: {
    retryable: false,
    words: () => ({
      message: 'The run was cancelled. What was already stored is kept and will be used by the next run.',
      guidance: 'Start it again when it suits you.',
    }),
  },
  'bad-usage': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.problem)} Nothing was changed.`,
      guidance: String(c.guidance ?? 'See the help of this command.'),
    }),
  },

  'output-failed': {
    retryable: false,
    words: (c) => ({
      message: `What was asked for could not be written to the output${because(c)}. What was written so far is not complete.`,
      guidance: 'Make sure that there is space and that you may write there, then try again.',
    }),
  },
  'input-unreadable': {
    retryable: false,
    words: (c) => ({
      message: `${String(c.path)}, ${String(c.purpose)}, could not be read${because(c)}. Nothing was changed.`,
      guidance: 'Check the name of the file and that you may read it.',
    }),
  },
  'password-not-kept': {
    retryable: false,
    words: (c) => ({
      message: `The password of the new repository could not be kept in ${String(c.path)}${because(c)}, so no repository was made.`,
      guidance: 'Make sure that there is space and that you may write there, then try again.',
    }),
  },
  'home-unknown': {
    retryable: false,
    words: () => ({
      message: 'This account has no home folder, so Holdfast has no place for its own data. Nothing was changed.',
      guidance: 'Set the environment variable HOME to a folder that you can write to, then try again.',
    }),
  },
  'native-missing': {
    retryable: false,
    words: (c) => ({
      message: `The part of Holdfast that is made for this kind of computer could not be loaded${because(c)}. Nothing was changed.`,
      guidance: 'Install Holdfast again on this computer.',
    }),
  },

  'program-missing': {
    retryable: false,
    words: (c) => ({
      message: `The program ${String(c.program)}, which ${String(c.location)} needs, could not be started${because(c)}. Nothing was changed.`,
      guidance: `Install ${String(c.name)}, or say in ${String(c.variables)} where it is.`,
    }),
  },
} as const satisfies Readonly<Record<string, Entry>>;
