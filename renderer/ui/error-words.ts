/** The words of an error in the language that is shown, by its code: what happened, what it means for the data, what to do. */
import i18next from 'i18next';
import { type ErrorContext, HoldfastError, toHoldfastError } from '../../src/contract/errors.ts';

/** An error as it is thrown, or as it was kept with a run or a destination. */
export interface KnownError {
  readonly code: string;
  readonly message: string;
  readonly guidance: string;
  readonly context?: ErrorContext;
}

export interface ErrorWords {
  readonly code: string;
  readonly what: string;
  /** '' where the first part says it all. */
  readonly means: string;
  readonly todo: string;
  /** What the system or a server said, in its own words; '' for nothing. */
  readonly cause: string;
}

/** Texts name what the context holds; lists are joined, and a missing thing leaves no hole. */
const fields = (context: ErrorContext): Record<string, string | number> =>
  Object.fromEntries(
    Object.entries(context).map(([name, value]) => [
      name,
      typeof value === 'number' ? value : Array.isArray(value) ? value.join(', ') : value === undefined ? '' : String(value),
    ]),
  );

/** Anything that was thrown, or kept, in words. */
export function errorWords(thrown: unknown): ErrorWords {
  const error = isKnown(thrown) ? thrown : toHoldfastError(thrown);
  const { code, message, guidance, context = {} } = error;
  const key = `errors.${code}`;
  const cause = typeof context['cause'] === 'string' ? context['cause'] : '';
  // A service of a later version may know errors that this page does not: then its own words are better than none.
  if (!i18next.exists(`${key}.what`)) return { code, what: message, means: '', todo: guidance, cause: '' };
  const named = fields(context);
  const part = (name: 'what' | 'means' | 'todo'): string =>
    i18next.exists(`${key}.${name}`) ? i18next.t(`${key}.${name}` as Words.Key, named) : '';
  return { code, what: part('what'), means: part('means'), todo: part('todo'), cause };
}

const isKnown = (thrown: unknown): thrown is KnownError =>
  thrown instanceof HoldfastError ||
  (typeof thrown === 'object' &&
    thrown !== null &&
    'code' in thrown &&
    'message' in thrown &&
    'guidance' in thrown &&
    !(thrown instanceof Error));
