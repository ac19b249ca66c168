/**
 * What a *host* and the service that it carries tell each other. The host is the process that a person starts (`holdfast serve`, the
 * desktop shell); the service is its child, and of the same version.
 */
import type { Alarm } from '../../contract/state.ts';
import type { WatchedBudget, WatchedPlan } from './watchdog.ts';

/** Why a service could not start, in words for a person. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly guidance: string;
}

export type ToHost =
  /** First of all: whose backups these are. */
  | { readonly type: 'hello'; readonly profile: string }
  /** A sign of life of its event loop, every {@link beatEveryMs}. */
  | { readonly type: 'beat' }
  /** Clients can ask. */
  | { readonly type: 'ready' }
  /** What the watchdog looks at has changed. */
  | { readonly type: 'watched'; readonly plans: readonly WatchedPlan[]; readonly budgets?: readonly WatchedBudget[] }
  /** It ends without having been ready. */
  | { readonly type: 'failed'; readonly failure: Failure }
  /** It ends because somebody wants it to. */
  | { readonly type: 'stopping' };

export type ToService =
  /** Answers one of the service's. */
  { readonly type: 'beat' } | { readonly type: 'alarms'; readonly alarms: readonly Alarm[] } | { readonly type: 'stop' };

/** In the environment of a service: whoever has started it is its host, and there is a channel. */
export const hostedVariable = 'HOLDFAST_HOSTED';

/** Often enough that some may be lost, and seldom enough that an idle computer stays idle. */
export const beatEveryMs = 10_000;

/** The service's end of the way to its host. Messages arrive whole and in order, or not at all. */
export interface HostChannel {
  /** Never throws; to a host that is gone nothing goes. */
  send(message: ToHost): void;
  listen(listener: (message: ToService) => void): void;
  /** Calls `listener` once when the host has ended. */
  onLost(listener: () => void): void;
}

/** The host's end, and the service's process. */
export interface HostedChild {
  /** Never throws. */
  send(message: ToService): void;
  /** Ends the process at once, whatever it does. */
  kill(): void;
}

export interface ChildListener {
  onMessage(message: ToHost): void;
  /** Called once, after the last message; also when it could not be started at all. */
  onEnd(end: ChildEnd): void;
}

export interface ChildEnd {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
}

/** `isAgain`: it takes the place of one that has ended unexpectedly, so that its person has not just logged in. */
export type StartChild = (listener: ChildListener, isAgain: boolean) => HostedChild;

/** What has come over a channel, or undefined for what is no message at all. */
export function messageOf<Message extends ToHost | ToService>(received: unknown): Message | undefined {
  return typeof received === 'object' && received !== null && 'type' in received ? (received as Message) : undefined;
}
