/**
 * The identity of the machine itself: a cloud gives its own machines tokens, by plain HTTP at an address that only they can reach,
 * so that no key need lie on them. It is used only where a person says so: elsewhere anybody on the network could answer there.
 */
import { type ErrorContext, fail, HoldfastError } from '../../contract/errors.ts';
import type { Credentials } from '../credentials.ts';
import type { HttpAnswer, HttpClient } from '../http/exchange.ts';
import { quoted } from './refusals.ts';
import type { TokenSource } from './renewed-token.ts';
import { fieldsOf, tokenIn } from './token-answer.ts';

const variable = 'HOLDFAST_CLOUD_IDENTITY';

/** Whether the person wants it. Throws `bad-usage` for another word. */
export function wantsMachineIdentity(credentials: Credentials): boolean {
  const said = credentials.get(variable);
  if (said !== undefined && said !== 'machine')
    fail('bad-usage', {
      problem: `${variable} cannot be ${JSON.stringify(said)}.`,
      guidance: 'Use machine, for the identity that the cloud gives to the machine that Holdfast runs on, or leave it out.',
    });
  return said !== undefined;
}

export interface MachineTokens {
  readonly client: HttpClient;
  readonly location: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Whether such an answer is the cloud's own. */
  readonly isRight: (answer: HttpAnswer) => boolean;
  /** Besides 429 and 5xx: what the service says while it is not ready. */
  readonly passing: ReadonlySet<number>;
  /** What to do when the machine has no identity. */
  readonly advice: string;
}

export function machineTokens({ client, location, path, headers, isRight, passing, advice }: MachineTokens): TokenSource {
  const { server } = client;
  return {
    close: () => client.close(),
    async ask() {
      const answer = await client.send({ method: 'GET', path, headers });
      const { status } = answer;
      const isOwn = isRight(answer);
      const said = await fieldsOf(answer);
      if (!isOwn) return fail('server-not-understood', { location, server, cause: 'it is not the service for the machines of this cloud' });
      if (status === 200) return tokenIn(said, { location, server });
      const words = [said.error, said.error_description].filter((each) => typeof each === 'string' && each !== '').join(': ');
      const cause = `the server answered ${status}${words === '' ? '' : ` ${quoted(words)}`}`;
      const context: ErrorContext = { location, server, operation: 'get', file: 'an access token', cause };
      if (status === 429) throw new HoldfastError('server-busy', context);
      if (status >= 500 || passing.has(status)) throw new HoldfastError('storage-failed', context);
      throw new HoldfastError('credentials-refused', { ...context, what: 'the identity of this machine', advice });
    },
  };
}
