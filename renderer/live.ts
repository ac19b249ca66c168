/** What the service says, live: every screen reads from here, and api.ts alone writes to it. */
import { create } from 'zustand';
import type { ServiceEvent, State } from '../src/contract/state.ts';
import { applyEvent } from '../src/contract/apply-event.ts';

/**
 * - *connecting*: for the first time, or anew after a moment;
 * - *away*: the service does not answer; it is tried again and again;
 * - *login*: it asks for a name and a password;
 * - *other-address*: the address of this page is of a service that has ended;
 * - *other-version*: this page is of another version of Holdfast than the service.
 */
export type Connection = 'connecting' | 'open' | 'away' | 'login' | 'other-address' | 'other-version';

interface Live {
  readonly connection: Connection;
  /** Undefined until the service has said it; while it is away, as it was. */
  readonly state: State | undefined;
}

export const useLive = create<Live>(() => ({ connection: 'connecting', state: undefined }));

type Listener = (event: ServiceEvent) => void;
const listeners = new Set<Listener>();

/** Tells of every event, for what is not part of the state, such as the end of a run. Returns the function that stops it. */
export function onServiceEvent(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function take(event: ServiceEvent): void {
  useLive.setState(({ state }) => ({ state: applyEvent(state, event) }));
  for (const listener of listeners) listener(event);
}

export function setConnection(connection: Connection): void {
  if (useLive.getState().connection !== connection) useLive.setState({ connection });
}

/** A part of the service's state; undefined until it is known. Give a selector that returns the same for the same state. */
export const useService = <T>(select: (state: State) => T): T | undefined => useLive(({ state }) => (state ? select(state) : undefined));
