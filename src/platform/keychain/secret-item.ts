/**
 * A secret in a Secret Service, kept as the library of the other systems keeps it there: found by the attributes `service` and
 * `username`. The service is spoken to directly because the library opens a session with the first call of a connection, which ends
 * GNOME Keyring now and then (see `defaultCollection`), and keeps its connections until garbage is collected.
 * Source: the Secret Service API of freedesktop.org.
 */
import { DbusError, type DbusConnection } from '../dbus/connection.ts';
import { type DbusValue, textOf, Variant } from '../dbus/wire.ts';
import type { SecretEntry, SecretName } from './keychain.ts';
import { agreed, noPath, secretService } from './secret-service.ts';
import { type SessionKey, SessionOffer, sessionAlgorithm } from './secret-session.ts';

const itemInterface = 'org.freedesktop.Secret.Item';

/** All throw DbusError and `cancelled`. */
export class SecretItem implements SecretEntry {
  readonly #bus: DbusConnection;
  /** The path of the collection that takes a new one. */
  readonly #collection: string;
  readonly #name: SecretName;
  readonly #signal: AbortSignal | undefined;

  constructor(bus: DbusConnection, collection: string, name: SecretName, signal: AbortSignal | undefined) {
    this.#bus = bus;
    this.#collection = collection;
    this.#name = name;
    this.#signal = signal;
  }

  async getSecret(): Promise<Uint8Array | null> {
    const path = await this.#find();
    if (path === undefined) return null;
    const { session, key } = await this.#openSession();
    const [secret] = await this.#call(path, itemInterface, 'GetSecret', 'o', [session]);
    const [, iv, encrypted] = Array.isArray(secret) ? (secret as DbusValue[]) : [];
    return key.decrypt(bytesIn(iv), bytesIn(encrypted));
  }

  async setSecret(secret: Uint8Array): Promise<void> {
    const path = await this.#find();
    const { session, key } = await this.#openSession();
    const { iv, encrypted } = key.encrypt(secret);
    const sent = [session, [...iv], [...encrypted], 'application/octet-stream'];
    if (path !== undefined) {
      await this.#call(path, itemInterface, 'SetSecret', '(oayays)', [sent]);
      return;
    }
    const { service, account } = this.#name;
    const properties = [
      [`${itemInterface}.Label`, new Variant('s', `keyring:${account}@${service}`)],
      [`${itemInterface}.Attributes`, new Variant('a{ss}', this.#attributes())],
    ];
    // Replaces one that another process has made since the look.
    const body = [properties, sent, true];
    const [, prompt] = await this.#call(this.#collection, 'org.freedesktop.Secret.Collection', 'CreateItem', 'a{sv}(oayays)b', body);
    await this.#answered(prompt);
  }

  async deletePassword(): Promise<boolean> {
    const path = await this.#find();
    if (path === undefined) return false;
    const [prompt] = await this.#call(path, itemInterface, 'Delete');
    await this.#answered(prompt);
    return true;
  }

  /** The path of the one item of this name. */
  async #find(): Promise<string | undefined> {
    const [unlocked, locked] = await this.#call(secretService.path, secretService.interface, 'SearchItems', 'a{ss}', [this.#attributes()]);
    const [path, ...others] = Array.isArray(unlocked) ? (unlocked as string[]) : [];
    if (others.length > 0) throw new DbusError('org.freedesktop.DBus.Error.Failed', 'it keeps several secrets of this name');
    if (path === undefined && Array.isArray(locked) && locked.length > 0) throw new DbusError(lockedError, 'it is locked');
    return path;
  }

  async #openSession(): Promise<{ session: string; key: SessionKey }> {
    const offer = new SessionOffer();
    const input = new Variant('ay', [...offer.publicNumber]);
    const [output, session] = await this.#call(secretService.path, secretService.interface, 'OpenSession', 'sv', [sessionAlgorithm, input]);
    return { session: textOf(session), key: offer.agree(bytesIn(output)) };
  }

  #attributes(): DbusValue {
    const { service, account } = this.#name;
    return [
      ['service', service],
      ['username', account],
    ];
  }

  /** Some services ask the person before they change anything. */
  async #answered(prompt: DbusValue | undefined): Promise<void> {
    if (typeof prompt !== 'string' || prompt === noPath || (await agreed(this.#bus, prompt, this.#signal))) return;
    throw new DbusError('org.freedesktop.DBus.Error.AccessDenied', 'its question was not answered with yes');
  }

  #call(path: string, ofInterface: string, member: string, signature = '', body: readonly DbusValue[] = []): Promise<readonly DbusValue[]> {
    return this.#bus.call({ destination: secretService.destination, path, interface: ofInterface, member, signature, body }, this.#signal);
  }
}

const lockedError = 'org.freedesktop.Secret.Error.IsLocked';

/** Whether the keychain was locked between our look and the use. */
export const isLockedError = (error: unknown): boolean => error instanceof DbusError && error.errorName === lockedError;

const bytesIn = (value: DbusValue | undefined): Uint8Array => Uint8Array.from(Array.isArray(value) ? (value as number[]) : []);
