/** Reading what a service that gives out tokens has answered (RFC 6749, 5.1). */
import { fail } from '../../contract/errors.ts';
import { readBytes } from '../http/body.ts';
import type { HttpAnswer } from '../http/exchange.ts';
import type { FreshToken } from './renewed-token.ts';

const longestAnswer = 64 * 1024;
/** Of a service that does not say. */
const usualSeconds = 3600;

/** The fields of an answer; none when it is something else. */
export async function fieldsOf(answer: HttpAnswer): Promise<Record<string, unknown>> {
  const { bytes } = await readBytes(answer, longestAnswer);
  try {
    const held: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof held === 'object' && held !== null ? (held as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Throws `server-not-understood` for fields without a token that could be sent. */
export function tokenIn(said: Record<string, unknown>, ends: { readonly location: string; readonly server: string }): FreshToken {
  // Azure writes its figures as text.
  const { access_token: value, expires_in: lifetime = usualSeconds } = said;
  const seconds = typeof lifetime === 'string' && /^\d+$/.test(lifetime) ? Number(lifetime) : lifetime;
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value) || typeof seconds !== 'number' || !Number.isFinite(seconds))
    return fail('server-not-understood', { location: ends.location, server: ends.server, cause: 'it gives no token' });
  return { value, seconds };
}
