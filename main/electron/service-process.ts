/** The service in a process of Electron's, apart from the windows, and watched over: none of their crashes ends a backup, and none of its own goes unseen. */
import { utilityProcess } from 'electron';
import { type ErrorJSON, errorFromJSON, HoldfastError } from '../../src/contract/errors.ts';
import type { Clock } from '../../src/platform/clock.ts';
import { messageOf, type StartChild, type ToHost } from '../../src/service/watchdog/messages.ts';
import { Supervisor, type SupervisorOptions } from '../../src/service/watchdog/supervisor.ts';
import type { CarriedService } from './service-connection.ts';

export interface ServiceProcessOptions extends Pick<SupervisorOptions, 'onNotice' | 'onNote'> {
  readonly clock: Clock;
  /** The bundled program, outside of any archive. */
  readonly program: string;
  /** Of Holdfast. */
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** It is started because its person has logged in. */
  readonly atLogin: boolean;
}

export function carryService(options: ServiceProcessOptions): CarriedService {
  const ready = Promise.withResolvers<void>();
  // Whoever waits for it is told; nobody may.
  ready.promise.catch(() => {});
  const supervisor = new Supervisor({ ...options, startChild: utilityChild(options), onReady: () => ready.resolve() });
  const ended = supervisor.run().then(({ failure, child }) => {
    const error = failure && errorFromJSON({ ...failure, context: {}, retryable: false } as ErrorJSON);
    ready.reject(error ?? new HoldfastError('service-not-started', { cause: `its process ended with ${child.code ?? child.signal}` }));
  });
  return { ready: ready.promise, ended, stop: () => supervisor.stop(), kill: () => supervisor.stopAtOnce() };
}

/** What it writes to its outputs goes to the notes: crashes tell of themselves nowhere else. */
const utilityChild =
  ({ program, version, env, atLogin, onNote }: ServiceProcessOptions): StartChild =>
  (listener, isAgain) => {
    const child = utilityProcess.fork(program, [version, ...(atLogin && !isAgain ? ['--at-login'] : [])], {
      serviceName: 'Holdfast service',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined)),
    });
    for (const output of [child.stdout, child.stderr]) output?.on('data', (piece: Buffer) => onNote(piece.toString()));
    child.on('message', (received) => {
      const message = messageOf<ToHost>(received);
      if (!message) return;
      listener.onMessage(message);
      // It has nothing more to say, and waits: what a process says on its way out might be lost.
      if (message.type === 'failed') child.kill();
    });
    child.on('exit', (code) => listener.onEnd({ code, signal: null }));
    return { send: (message) => child.postMessage(message), kill: () => void child.kill() };
  };
