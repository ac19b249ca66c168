/** Who one is on a server: from the address, or better from the credentials. */
import type { OpenContext } from '../kind.ts';
import type { HttpAddress } from './address.ts';

export interface SignIn {
  readonly username: string;
  readonly password: string;
}

/**
 * The user name and password for an address; undefined when there is neither. What stands in the address wins, since the
 * credentials may be meant for another place.
 */
export function signIn(
  { username, password }: HttpAddress,
  names: { readonly username: readonly string[]; readonly password: readonly string[] },
  { credentials, onNote }: OpenContext,
): SignIn | undefined {
  if (password !== undefined)
    onNote?.('The password in the address can be seen by every program of this computer: better name it in the environment or in a file.');
  const found = { username: username ?? credentials.get(...names.username), password: password ?? credentials.get(...names.password) };
  if (found.username === undefined && found.password === undefined) return undefined;
  return { username: found.username ?? '', password: found.password ?? '' };
}

/** The header of RFC 7617. */
export const basicAuthorization = ({ username, password }: SignIn): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
