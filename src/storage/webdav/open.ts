/** Opens `webdav:https://server/path/`. */
import { fail } from '../../contract/errors.ts';
import { parseHttpAddress } from '../http/address.ts';
import { ChallengedClient } from '../http/challenged-client.ts';
import { connectTo } from '../http/connect.ts';
import { signIn } from '../http/sign-in.ts';
import type { OpenKind } from '../kind.ts';
import { Dav } from './dav.ts';
import { WebdavStorage } from './webdav.ts';

const names = { username: ['HOLDFAST_WEBDAV_USERNAME'], password: ['HOLDFAST_WEBDAV_PASSWORD'] } as const;

export const openWebdav: OpenKind = (text, context) => {
  const address = parseHttpAddress('webdav', text);
  const location = `webdav:${address.shown}`;
  const user = signIn(address, names, context);
  // No header can hold them.
  if (user && /[\x00-\x1f\x7f]/.test(user.username + user.password))
    fail('bad-usage', {
      problem: 'The user name or the password for this webdav destination holds a control character.',
      guidance: `Check ${names.username[0]} and ${names.password[0]}, or the file of credentials.`,
    });
  const client = new ChallengedClient(connectTo(address, context, { location }), user);
  const dav = new Dav({
    client,
    location,
    origin: address.socketPath === undefined ? `${address.isSecure ? 'https' : 'http'}://${address.server}` : 'http://localhost',
    path: address.path,
    clock: context.clock,
    isSignedIn: user !== undefined,
    variables: `${names.username[0]} and ${names.password[0]}`,
  });
  return new WebdavStorage(dav, { client, location });
};
