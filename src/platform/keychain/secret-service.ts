/**
 * Whether the Secret Service of a Linux desktop (GNOME Keyring, KDE's wallet, KeePassXC) can keep secrets, and unlocking it. The
 * library that reads and writes cannot say without asking the person, and its call cannot be taken back while a window waits for
 * an answer. Source: the Secret Service API of freedesktop.org.
 */
import { fail } from '../../contract/errors.ts';
import { DbusError, type DbusConnection, sessionBusAddress, withBus } from '../dbus/connection.ts';
import { textOf } from '../dbus/wire.ts';
import type { KeychainState } from './keychain.ts';

const service = { destination: 'org.freedesktop.secrets', path: '/org/freedesktop/secrets', interface: 'org.freedesktop.Secret.Service' };
const promptInterface = 'org.freedesktop.Secret.Prompt';

/** "None" among the paths of D-Bus. */
const noPath = '/';
/** What is kept in this collection is gone when the person logs out. */
const fleeting = /\/session$/;

type Environment = Readonly<Record<string, string | undefined>>;

/** Asks nobody anything. Throws `cancelled`. */
export async function secretServiceState(env: Environment, signal: AbortSignal | undefined): Promise<KeychainState> {
  return told(() => withBus(sessionBusAddress(env), signal, async (bus) => (await look(bus, signal)).state));
}

/**
 * As {@link secretServiceState}, but asks the person to unlock a locked one, and waits for the answer: locked still means that the
 * answer was no, or that nobody could be asked. Throws `cancelled`, which also closes the question.
 */
export async function unlockedSecretService(env: Environment, signal: AbortSignal | undefined): Promise<KeychainState> {
  return told(() =>
    withBus(sessionBusAddress(env), signal, async (bus) => {
      const { state, collection } = await look(bus, signal);
      if (state.kind !== 'locked') return state;
      const [, prompt] = await bus.call({ ...service, member: 'Unlock', signature: 'ao', body: [[collection]] }, signal);
      if (typeof prompt === 'string' && prompt !== noPath && !(await agreed(bus, prompt, signal)))
        return { kind: 'locked', reason: 'the request to unlock it was not answered with yes' };
      return (await look(bus, signal)).state;
    }),
  );
}

async function look(bus: DbusConnection, signal: AbortSignal | undefined): Promise<{ state: KeychainState; collection: string }> {
  const absent = (reason: string): { state: KeychainState; collection: string } => ({ state: { kind: 'absent', reason }, collection: '' });
  if (!(await bus.offers(service.destination, signal)))
    return absent('no program that keeps passwords (Secret Service) runs in this session');
  const collection = await defaultCollection(bus, signal);
  if (collection === noPath) return absent('it has no keyring yet');
  if (fleeting.test(collection)) return absent('it forgets everything at the end of the session');
  const object = { destination: service.destination, path: collection, interface: 'org.freedesktop.Secret.Collection' };
  const locked = await bus.property(object, 'Locked', signal);
  return { state: locked === false ? { kind: 'available' } : { kind: 'locked', reason: 'nobody has unlocked it' }, collection };
}

/**
 * The keyring for whoever names none: `noPath` when there is none. GNOME Keyring takes note of a new connection beside answering
 * it, and one time in some thousands answers first: it then says of the first question, and of that one alone, that nothing is there.
 */
async function defaultCollection(bus: DbusConnection, signal: AbortSignal | undefined): Promise<string> {
  const ask = async (): Promise<string> => {
    const [path] = await bus.call({ ...service, member: 'ReadAlias', signature: 's', body: ['default'] }, signal);
    return textOf(path);
  };
  const first = await ask();
  return first === noPath ? ask() : first;
}

/** Shows the question and waits for the person's answer. */
async function agreed(bus: DbusConnection, path: string, signal: AbortSignal | undefined): Promise<boolean> {
  const prompt = { destination: service.destination, path, interface: promptInterface };
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

async function told(ask: () => Promise<KeychainState>): Promise<KeychainState> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof DbusError) return { kind: 'absent', reason: error.message };
    throw error;
  }
}

/** Throws `keychain-absent` or `keychain-locked` unless it can be used. */
export function refuseUnusable(state: KeychainState): void {
  if (state.kind === 'absent') fail('keychain-absent', { cause: state.reason });
  if (state.kind === 'locked') fail('keychain-locked', { cause: state.reason });
}
