/**
 * The service, as the interface calls it. The only file that knows how it is reached: over a WebSocket in a browser, over a port of the
 * desktop shell in a window. A broken connection is made again by itself, and what happened meanwhile is caught up with.
 */
import { createORPCClient, onError } from '@orpc/client';
import type { ClientLink } from '@orpc/client';
import { RPCLink as PortLink } from '@orpc/client/message-port';
import { RPCLink as SocketLink } from '@orpc/client/websocket';
import type { ContractRouterClient } from '@orpc/contract';
import { RequestValidationPlugin, ResponseValidationPlugin } from '@orpc/contract/plugins';
import { fromWire } from '../src/contract/crossing.ts';
import { type DesktopBridge, portMessage } from '../src/contract/desktop.ts';
import { errorFromJSON, type ErrorJSON, HoldfastError } from '../src/contract/errors.ts';
import { contract, protocolVersion } from '../src/contract/procedures.ts';
import { after, now } from './clock.ts';
import { type Connection, setConnection, take, useLive } from './live.ts';

declare global {
  interface Window {
    readonly holdfast?: DesktopBridge;
  }
}

type ServiceClient = ContractRouterClient<typeof contract>;
type Context = Record<never, never>;

/** Undefined in a browser. */
export const desktop: DesktopBridge | undefined = window.holdfast;

interface Line {
  readonly link: ClientLink<Context>;
  close(): void;
}

/** How long the shell may take to give a port: it starts the service first where none runs. */
const patienceMs = 5000;

const plugins = [new RequestValidationPlugin(contract), new ResponseValidationPlugin(contract)];
const whole = (error: unknown): never => {
  throw fromWire(error);
};

let open: Line | undefined;
const waiting = new Set<() => void>();

/** The line that is open; while there is none, that of the first connection. Throws `service-absent` when the service is away. */
async function line(): Promise<Line> {
  while (!open) {
    if (useLive.getState().connection !== 'connecting') throw new HoldfastError('service-absent');
    await new Promise<void>((resolve) => waiting.add(resolve));
  }
  return open;
}

function wake(): void {
  for (const resolve of waiting) resolve();
  waiting.clear();
}

/** Every call throws what the service throws, `service-absent` while it is away, or `service-lost` when it went meanwhile. */
export const api: ServiceClient = createORPCClient({
  call: async (path, input, callOptions) => (await line()).link.call(path, input, callOptions),
} satisfies ClientLink<Context>);

/** Keeps the service connected for as long as the page is open. */
export function keepConnected(): void {
  void (async () => {
    for (let tries = 0; ; tries++) {
      const began = now();
      const reason = await stayConnected();
      if (now() - began > 10_000) tries = 0;
      // A service that is only started anew is back within a moment, of which nobody needs to hear.
      setConnection(reason ?? (tries < 3 ? 'connecting' : 'away'));
      wake();
      if (reason === 'login') await toBeAskedAgain();
      // Whoever opens the right address in this browser lets this page in, too.
      else await pause(reason === 'other-address' ? 30_000 : Math.min(250 * 2 ** tries, 5000));
    }
  })();
}

let askAgain: () => void = () => {};
const toBeAskedAgain = (): Promise<void> => new Promise((resolve) => (askAgain = resolve));

/** Waits, or until there is a reason to believe that it works now. */
const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    const stop = after(ms, end);
    const looked = (): void => void (document.visibilityState === 'visible' && end());
    function end(): void {
      stop();
      window.removeEventListener('online', end);
      document.removeEventListener('visibilitychange', looked);
      resolve();
    }
    window.addEventListener('online', end);
    document.addEventListener('visibilitychange', looked);
  });

/** Connects and passes on what happens until the connection breaks. Returns why there can be none, where that is known. */
async function stayConnected(): Promise<Exclude<Connection, 'open' | 'away' | 'connecting'> | undefined> {
  const connected = await connect();
  if (!connected) return desktop ? undefined : refusal();
  try {
    const client: ServiceClient = createORPCClient(connected.link);
    if ((await client.service.info()).protocol !== protocolVersion) return 'other-version';
    const events = await client.events(lastEvent === undefined ? {} : { since: lastEvent });
    open = connected;
    setConnection('open');
    wake();
    for await (const { id, event } of events) {
      lastEvent = id;
      take(event);
    }
  } catch (error) {
    // The answer of another version is one that this page does not understand.
    if (error instanceof HoldfastError && error.code === 'request-invalid') return 'other-version';
  } finally {
    open = undefined;
    connected.close();
  }
  return undefined;
}

/** The number of the newest event that is known; the service goes on from there. */
let lastEvent: string | undefined;

const connect = (): Promise<Line | undefined> => (desktop ? connectPort(desktop) : connectSocket());

async function connectSocket(): Promise<Line | undefined> {
  const address = new URL('/rpc', location.href);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(address);
  const isOpen = await new Promise<boolean>((settle) => {
    socket.addEventListener('open', () => settle(true));
    socket.addEventListener('close', () => settle(false));
  });
  return isOpen
    ? { link: new SocketLink({ websocket: socket, plugins, interceptors: [onError(whole)] }), close: () => socket.close() }
    : undefined;
}

async function connectPort(bridge: DesktopBridge): Promise<Line | undefined> {
  const port = await new Promise<MessagePort | undefined>((resolve) => {
    const end = (port?: MessagePort): void => {
      stop();
      window.removeEventListener('message', given);
      resolve(port);
    };
    const given = ({ source, data, ports }: MessageEvent): void => {
      if (source === window && data === portMessage && ports[0]) end(ports[0]);
    };
    const stop = after(patienceMs, end);
    window.addEventListener('message', given);
    bridge.requestPort();
  });
  if (!port) return undefined;
  const link = new PortLink({ port, plugins, interceptors: [onError(whole)] });
  port.start();
  return { link, close: () => port.close() };
}

/** Why a browser is not let in; undefined when nobody answers. */
async function refusal(): Promise<'login' | 'other-address' | undefined> {
  let answer: Response;
  try {
    answer = await fetch('/session', { cache: 'no-store' });
  } catch {
    return undefined;
  }
  if (answer.status !== 401) return undefined;
  return answer.headers.get('content-type')?.startsWith('application/json') === true ? 'login' : 'other-address';
}

/** Logs in at a host for other computers. Throws `login-refused`, `login-paused`, `service-absent`. */
export async function logIn(name: string, password: string): Promise<void> {
  await send('/login', { name, password });
  askAgain();
}

/** Ends the session of this browser. */
export async function logOut(): Promise<void> {
  await send('/logout', {});
  open?.close();
}

async function send(path: string, body: object): Promise<void> {
  let answer: Response;
  try {
    answer = await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  } catch (error) {
    throw new HoldfastError('service-absent', {}, { cause: error });
  }
  if (answer.ok) return;
  const isOurs = answer.headers.get('content-type')?.startsWith('application/json') === true;
  throw isOurs ? errorFromJSON((await answer.json()) as ErrorJSON) : new HoldfastError('service-absent');
}
