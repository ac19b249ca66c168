/** What an answer that is no success means for a person. */
import { STATUS_CODES } from 'node:http';
import { type ErrorCode, type ErrorContext, HoldfastError } from '../../contract/errors.ts';
import { reasonIn } from './body.ts';
import type { HttpAnswer } from './exchange.ts';

export interface Asked {
  readonly location: string;
  readonly server: string;
  /** A verb, and what it was to be done to, as in "save pack 0a1b". */
  readonly operation: string;
  readonly file: string;
  /** Whether a user name and password, or something like it, went with the request. */
  readonly isSignedIn: boolean;
  /** Names of the environment variables that would hold them. */
  readonly variables: string;
  /** Why, as far as that is known otherwise than by the answer. */
  readonly words?: string | undefined;
}

const meaning: Readonly<Record<number, ErrorCode>> = {
  401: 'credentials-refused',
  403: 'storage-denied',
  405: 'storage-denied',
  407: 'server-unreachable',
  413: 'storage-full',
  423: 'storage-failed',
  429: 'server-busy',
  507: 'storage-full',
};

/** What asking again does not change, among the errors that may pass otherwise. */
const permanent = new Set([400, 404, 405, 406, 409, 410, 411, 414, 415, 416, 421, 422, 426, 431, 451, 501, 505]);

/** Reads what is left of the answer. `now` is wall time in milliseconds, for a server that says when to come back. */
export async function answerError(answer: HttpAnswer, asked: Asked, now: number): Promise<HoldfastError> {
  const { status } = answer;
  const { location, server, operation, file, isSignedIn, variables } = asked;
  const words = STATUS_CODES[status] ?? '';
  const said = await reasonIn(answer);
  const reason = said.toLowerCase() === words.toLowerCase() ? (asked.words ?? '') : said;
  const cause = `the server answered ${status}${words === '' ? '' : ` ${words}`}${reason === '' ? '' : `: ${reason}`}`;
  const context: ErrorContext = { location, server, operation, file, cause };
  if (status >= 300 && status < 400) return moved(answer, context);
  if (status === 401 && !isSignedIn) return new HoldfastError('credentials-missing', { ...context, variables });
  const waitMs = retryAfterMs(answer.header('retry-after'), now);
  if (status === 429 || (status === 503 && waitMs !== undefined))
    return new HoldfastError('server-busy', { ...context, ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }) });
  // Some programs know no better status for it.
  if (status === 500 && /no space left|disk full|quota|insufficient (space|storage)/i.test(reason))
    return new HoldfastError('storage-full', context);
  const code = meaning[status] ?? (status >= 400 ? 'storage-failed' : 'server-not-understood');
  return new HoldfastError(code, context, code === 'storage-failed' && permanent.has(status) ? { retryable: false } : {});
}

/** Where to is shown without what stands before an @ or behind a ?. */
function moved(answer: HttpAnswer, context: ErrorContext): HoldfastError {
  const to = answer.header('location') ?? '';
  const place = URL.canParse(to) ? new URL(to) : undefined;
  return new HoldfastError('server-moved', { ...context, ...(place ? { place: `${place.origin}${place.pathname}` } : {}) });
}

/** Milliseconds to wait, from seconds or a date (RFC 9110, 10.2.3); undefined when it says neither. */
export function retryAfterMs(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text.trim())) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
