/**
 * A connection to a D-Bus message bus: calls with their replies, and signals. Enough to ask the desktop's services (Secret Service,
 * UDisks, NetworkManager) without starting a program or blocking a thread. Source: D-Bus Specification.
 */
import { connect, type Socket } from 'node:net';
import { unlessCancelled } from '../cancellation.ts';
import { type DbusValue, decodeMessage, encodeMessage, type Message, messageTypes, textOf } from './wire.ts';

/** What a bus or a service answered instead of a result. */
export class DbusError extends Error {
  override readonly name = 'DbusError';
  /** Such as `org.freedesktop.DBus.Error.ServiceUnknown`. */
  readonly errorName: string;

  constructor(errorName: string, message: string) {
    super(message);
    this.errorName = errorName;
  }
}

/** The errors of a bus that cannot be reached, or is no more. */
const noServer = 'org.freedesktop.DBus.Error.NoServer';
const disconnected = 'org.freedesktop.DBus.Error.Disconnected';

type Environment = Readonly<Record<string, string | undefined>>;

/** The address of the person's bus: undefined when there is none, as in a session without a desktop. */
export function sessionBusAddress(env: Environment): string | undefined {
  if (env.DBUS_SESSION_BUS_ADDRESS) return env.DBUS_SESSION_BUS_ADDRESS;
  // Where systemd puts it; libdbus looks there, too.
  return env.XDG_RUNTIME_DIR ? `unix:path=${escapeAddress(`${env.XDG_RUNTIME_DIR}/bus`)}` : undefined;
}

export const systemBusAddress = (env: Environment): string => env.DBUS_SYSTEM_BUS_ADDRESS || 'unix:path=/var/run/dbus/system_bus_socket';

const escapeAddress = (text: string): string => text.replace(/[^\w./\\*-]/g, (each) => encodeURIComponent(each));

/** Paths of the sockets that an address names, in its order; of an abstract socket with the NUL that Node expects. */
export function socketsOf(address: string): string[] {
  const sockets: string[] = [];
  for (const each of address.split(';')) {
    const match = /^unix:(.*)$/.exec(each);
    for (const pair of match?.[1]?.split(',') ?? []) {
      const [key, value = ''] = pair.split('=', 2);
      const bytes = value.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
      const path = Buffer.from(bytes, 'latin1').toString('utf8');
      if (key === 'path') sockets.push(path);
      if (key === 'abstract') sockets.push(`\0${path}`);
    }
  }
  return sockets;
}

export interface DbusCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly DbusValue[];
}

const busItself = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus' };

interface Pending {
  readonly resolve: (body: readonly DbusValue[]) => void;
  readonly reject: (error: unknown) => void;
}

export class DbusConnection {
  readonly #socket: Socket;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Set<(message: Message) => void>();
  #serial = 0;
  #received: Buffer = Buffer.alloc(0);
  /** Set once the bus has said OK. */
  #isIn = false;
  #ended: DbusError | undefined;
  readonly #authenticated = Promise.withResolvers<void>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (piece: Buffer) => this.#take(piece));
    socket.on('error', (error) => this.#end(noServer, error.message));
    socket.on('close', () => this.#end(disconnected, 'the bus closed the connection'));
    // Whoever waits for it is told; nobody may.
    this.#authenticated.promise.catch(() => {});
    socket.write(`\0AUTH EXTERNAL ${Buffer.from(String(process.geteuid?.() ?? 0)).toString('hex')}\r\n`);
  }

  /**
   * Connects to the first bus of the address that answers. Whoever opens it closes it.
   * @throws DbusError when none does, `cancelled`
   */
  static async open(address: string, signal?: AbortSignal): Promise<DbusConnection> {
    let last: unknown = new DbusError(noServer, 'its address names no socket');
    for (const path of socketsOf(address)) {
      const connection = new DbusConnection(connect({ path }));
      try {
        await unlessCancelled(connection.#authenticated.promise, signal);
        await connection.call({ ...busItself, member: 'Hello' }, signal);
        return connection;
      } catch (error) {
        connection.close();
        if (signal?.aborted) throw error;
        last = error;
      }
    }
    throw last;
  }

  /** The values of the reply. A cancelled call is not taken back: its reply is not waited for. @throws DbusError, `cancelled` */
  call({ body = [], ...call }: DbusCall, signal?: AbortSignal): Promise<readonly DbusValue[]> {
    if (this.#ended) return Promise.reject(this.#ended);
    const serial = ++this.#serial;
    const { promise, resolve, reject } = Promise.withResolvers<readonly DbusValue[]>();
    this.#pending.set(serial, { resolve, reject });
    this.#socket.write(encodeMessage({ ...call, type: messageTypes.call, serial, body }));
    return unlessCancelled(promise, signal).finally(() => this.#pending.delete(serial));
  }

  /** A property of an object. @throws DbusError, `cancelled` */
  async property(call: Omit<DbusCall, 'member' | 'signature' | 'body'>, name: string, signal?: AbortSignal): Promise<DbusValue> {
    const get = { interface: 'org.freedesktop.DBus.Properties', member: 'Get', signature: 'ss', body: [call.interface, name] };
    const [value] = await this.call({ ...call, ...get }, signal);
    if (value === undefined) throw new DbusError('org.freedesktop.DBus.Error.InvalidArgs', `${name} has no value`);
    return value;
  }

  /** Whether a service of this name runs, or would be started by a call. @throws DbusError, `cancelled` */
  async offers(name: string, signal?: AbortSignal): Promise<boolean> {
    const [running] = await this.call({ ...busItself, member: 'NameHasOwner', signature: 's', body: [name] }, signal);
    if (running === true) return true;
    const [names] = await this.call({ ...busItself, member: 'ListActivatableNames' }, signal);
    return Array.isArray(names) && names.includes(name);
  }

  /**
   * The values of the first such signal from now on; `begin` is called once it cannot be missed any more.
   * @throws DbusError, `cancelled`, what `begin` throws
   */
  async signalAfter(
    from: Pick<DbusCall, 'path' | 'interface' | 'member'>,
    begin: () => Promise<unknown>,
    signal?: AbortSignal,
  ): Promise<readonly DbusValue[]> {
    const rule = `type='signal',path='${from.path}',interface='${from.interface}',member='${from.member}'`;
    const { promise, resolve, reject } = Promise.withResolvers<readonly DbusValue[]>();
    promise.catch(() => {});
    const listener = (message: Message): void => {
      if (message.type !== messageTypes.signal) return;
      if (message.path === from.path && message.interface === from.interface && message.member === from.member) resolve(message.body);
    };
    const closed = (): void => reject(this.#ended);
    this.#listeners.add(listener);
    this.#socket.once('close', closed);
    try {
      await this.call({ ...busItself, member: 'AddMatch', signature: 's', body: [rule] }, signal);
      await begin();
      return await unlessCancelled(promise, signal);
    } finally {
      this.#listeners.delete(listener);
      this.#socket.off('close', closed);
      if (!this.#ended) this.call({ ...busItself, member: 'RemoveMatch', signature: 's', body: [rule] }).catch(() => {});
    }
  }

  close(): void {
    this.#end(disconnected, 'the connection was closed');
  }

  #take(piece: Buffer): void {
    this.#received = this.#received.length === 0 ? piece : Buffer.concat([this.#received, piece]);
    if (!this.#isIn && !this.#signIn()) return;
    try {
      for (let next = decodeMessage(this.#received); next; next = decodeMessage(this.#received)) {
        this.#received = this.#received.subarray(next.length);
        this.#handle(next.message);
      }
    } catch (error) {
      this.#end(disconnected, `the bus sent what is no message (${(error as Error).message})`);
    }
  }

  /** The bus answers the sign-in with one line of text. */
  #signIn(): boolean {
    const end = this.#received.indexOf('\r\n');
    if (end < 0) return false;
    const line = this.#received.subarray(0, end).toString('latin1');
    if (!line.startsWith('OK ')) {
      this.#end(noServer, 'the bus does not accept this user');
      return false;
    }
    this.#received = this.#received.subarray(end + 2);
    this.#isIn = true;
    this.#socket.write('BEGIN\r\n');
    this.#authenticated.resolve();
    return true;
  }

  #handle(message: Message): void {
    for (const listener of this.#listeners) listener(message);
    const pending = this.#pending.get(message.replySerial ?? -1);
    if (message.type === messageTypes.reply) pending?.resolve(message.body);
    if (message.type === messageTypes.error)
      pending?.reject(new DbusError(message.errorName ?? 'org.freedesktop.DBus.Error.Failed', textOf(message.body[0])));
  }

  #end(errorName: string, reason: string): void {
    if (this.#ended) return;
    this.#ended = new DbusError(errorName, reason);
    this.#authenticated.reject(this.#ended);
    for (const { reject } of this.#pending.values()) reject(this.#ended);
    this.#socket.destroy();
  }
}

/** Opens a connection, uses it and closes it. @throws DbusError, `cancelled`, what `use` throws */
export async function withBus<T>(
  address: string | undefined,
  signal: AbortSignal | undefined,
  use: (bus: DbusConnection) => Promise<T>,
): Promise<T> {
  if (address === undefined) throw new DbusError(noServer, 'no message bus (D-Bus) runs in this session');
  const bus = await DbusConnection.open(address, signal);
  try {
    return await use(bus);
  } finally {
    bus.close();
  }
}
