/**
 * Whether the Secret Service of a Linux desktop (GNOME Keyring, KDE's wallet, KeePassXC) can keep secrets, and unlocking it. Source: the
 * Secret Service API of freedesktop.org.
 */
import { fail } from '../../contract/errors.ts';
import { DbusError, type DbusConnection, sessionBusAddress, withBus } from '../dbus/connection.ts';
import { textOf } from '../dbus/wire.ts';
import type { KeychainState, KeychainUse } from './keychain.ts';

export const secretService = {
  destination: 'org.freedesktop.secrets',
  path: '/org/freedesktop/secrets',
  interface: 'org.freedesktop.Secret.Service',
};
const promptInterface = 'org.freedesktop.Secret.Prompt';

/** "None" among the paths of D-Bus. */
export const noPath = '/';
/** What is kept in this collection is gone when the person logs out. */
const fleeting = /\/session$/;

type Environment = Readonly<Record<string, string | undefined>>;

/** Asks nobody anything. Throws `cancelled`. */
export async function secretServiceState(env: Environment, signal: AbortSignal | undefined): Promise<KeychainState> {
  try {
    return await withBus(sessionBusAddress(env), signal, async (bus) => (await look(bus, signal)).state);
  } catch (error) {
    if (error instanceof DbusError) return { kind: 'absent', reason: error.message };
    throw error;
  }
}

/**
 * Uses the collection that takes new secrets, on the connection that has looked at it. A locked one is unlocked first if the person may be
 * asked: cancelling also closes the question. Throws `keychain-absent`, `keychain-locked`, `cancelled`, what `act` throws.
 */
export async function withSecretService<T>(
  env: Environment,
  { signal, prompt }: KeychainUse,
  act: (bus: DbusConnection, collection: string) => Promise<T>,
): Promise<T> {
  let isUsable = false;
  try {
    return await withBus(sessionBusAddress(env), signal, async (bus) => {
      const { state, collection } = prompt === 'allowed' ? await unlocked(bus, signal) : await look(bus, signal);
      if (state.kind === 'absent') return fail('keychain-absent', { cause: state.reason });
      if (state.kind === 'locked') return fail('keychain-locked', { cause: state.reason });
      isUsable = true;
      return act(bus, collection);
    });
  } catch (error) {
    if (error instanceof DbusError && !isUsable) return fail('keychain-absent', { cause: error.message });
    throw error;
  }
}

interface Looked {
  readonly state: KeychainState;
  readonly collection: string;
}

/** Locked still means that the answer was no, or that nobody could be asked. */
async function unlocked(bus: DbusConnection, signal: AbortSignal | undefined): Promise<Looked> {
  const looked = await look(bus, signal);
  if (looked.state.kind !== 'locked') return looked;
  const [, prompt] = await bus.call({ ...secretService, member: 'Unlock', signature: 'ao', body: [[looked.collection]] }, signal);
  if (typeof prompt === 'string' && prompt !== noPath && !(await agreed(bus, prompt, signal)))
    return { ...looked, state: { kind: 'locked', reason: 'the request to unlock it was not answered with yes' } };
  return look(bus, signal);
}

async function look(bus: DbusConnection, signal: AbortSignal | undefined): Promise<Looked> {
  const absent = (reason: string): Looked => ({ state: { kind: 'absent', reason }, collection: '' });
  if (!(await bus.offers(secretService.destination, signal)))
    return absent('no program that keeps passwords (Secret Service) runs in this session');
  const collection = await defaultCollection(bus, signal);
  if (collection === noPath) return absent('it has no keyring yet');
  if (fleeting.test(collection)) return absent('it forgets everything at the end of the session');
  const object = { destination: secretService.destination, path: collection, interface: 'org.freedesktop.Secret.Collection' };
  const locked = await bus.property(object, 'Locked', signal);
  return { state: locked === false ? { kind: 'available' } : { kind: 'locked', reason: 'nobody has unlocked it' }, collection };
}

/**
 * The keyring for whoever names none: `noPath` when there is none. GNOME Keyring takes note of a new connection beside answering
 * it, and one time in some thousands answers first: it then says of the first question, and of that one alone, that nothing is there
 * (and ends with a crash if that was for a session).
 */
async function defaultCollection(bus: DbusConnection, signal: AbortSignal | undefined): Promise<string> {
  const ask = async (): Promise<string> => {
    const [path] = await bus.call({ ...secretService, member: 'ReadAlias', signature: 's', body: ['default'] }, signal);
    return textOf(path);
  };
  const first = await ask();
  return first === noPath ? ask() : first;
}

/** Shows the question and waits for the person's answer. */
export async function agreed(bus: DbusConnection, path: string, signal: AbortSignal | undefined): Promise<boolean> {
  const prompt = { destination: secretService.destination, path, interface: promptInterface };
  const show = (): Promise<unknown> => bus.call({ ...prompt, member: 'Prompt', signature: 's', body: [''] }, signal);
  try {
    const [dismissed] = await bus.signalAfter({ ...prompt, member: 'Completed' }, show, signal);
    return dismissed === false;
  } catch (error) {
    // Sent before the connection closes; whether it arrives makes no difference to anybody who waits.
    bus.call({ ...prompt, member: 'Dismiss' }).catch(() => {});
    throw error;
  }
}
