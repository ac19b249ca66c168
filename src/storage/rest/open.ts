/** Opens `rest:https://server/path/`. */
import { parseHttpAddress } from '../http/address.ts';
import { basicAuthorization, signIn } from '../http/sign-in.ts';
import { connectTo } from '../http/connect.ts';
import type { OpenKind } from '../kind.ts';
import { RestStorage } from './rest.ts';

const names = {
  username: ['HOLDFAST_REST_USERNAME', 'RESTIC_REST_USERNAME'],
  password: ['HOLDFAST_REST_PASSWORD', 'RESTIC_REST_PASSWORD'],
} as const;

export const openRest: OpenKind = (text, context) => {
  const address = parseHttpAddress('rest', text);
  const location = `rest:${address.shown}`;
  const user = signIn(address, names, context);
  const client = connectTo(address, context, { location });
  return new RestStorage({
    client,
    location,
    path: address.path,
    clock: context.clock,
    authorization: user && basicAuthorization(user),
    variables: `${names.username[0]} and ${names.password[0]}`,
  });
};
