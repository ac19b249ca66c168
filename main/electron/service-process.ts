/** Starts the service in a process of Electron's, apart from the windows: none of their crashes ends a backup. */
import { utilityProcess } from 'electron';
import { errorFromJSON, type ErrorJSON, HoldfastError } from '../../src/contract/errors.ts';
import type { CarriedService } from './service-connection.ts';

/** What the process says to the shell. */
export type FromService = { readonly kind: 'ready' } | { readonly kind: 'failed'; readonly error: ErrorJSON };
/** What the shell says to it. */
export type ToService = { readonly kind: 'stop' };

export interface ServiceProcessOptions {
  /** The bundled program, outside of any archive. */
  readonly program: string;
  /** Of Holdfast. */
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** It is started because its person has logged in. */
  readonly atLogin: boolean;
  /** What it writes to its outputs: crashes tell of themselves nowhere else. */
  readonly onOutput: (text: string) => void;
}

export function startServiceProcess({ program, version, env, atLogin, onOutput }: ServiceProcessOptions): CarriedService {
  const child = utilityProcess.fork(program, [version, ...(atLogin ? ['--at-login'] : [])], {
    serviceName: 'Holdfast service',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined)),
  });
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  // Whoever waits for it is told; nobody may.
  ready.promise.catch(() => {});
  for (const output of [child.stdout, child.stderr]) output?.on('data', (piece: Buffer) => onOutput(piece.toString()));
  child.on('message', (message: FromService) => {
    if (message.kind === 'ready') return ready.resolve();
    ready.reject(errorFromJSON(message.error));
    child.kill();
  });
  child.on('exit', (code) => {
    ready.reject(new HoldfastError('service-not-started', { cause: `its process ended with ${code}` }));
    ended.resolve();
  });
  return {
    ready: ready.promise,
    ended: ended.promise,
    stop: () => child.postMessage({ kind: 'stop' } satisfies ToService),
    kill: () => void child.kill(),
  };
}
