/** The facts behind Home's answer. They depend on the time and on all that happens, so they are asked for again after both. */
import { useEffect } from 'react';
import { create } from 'zustand';
import type { HomeFacts } from '../../../src/contract/home.ts';
import type { ServiceEvent } from '../../../src/contract/state.ts';
import { api } from '../../api.ts';
import { after, useNow } from '../../clock.ts';
import { onServiceEvent, useLive } from '../../live.ts';

interface HomeStore {
  /** Undefined until they are known. */
  readonly facts: HomeFacts | undefined;
  /** Why they could not be had the last time. */
  readonly error: unknown;
}

export const useHome = create<HomeStore>(() => ({ facts: undefined, error: undefined }));

/** Several things happen at once when a run begins or ends. */
const settleMs = 100;
const told: ReadonlySet<ServiceEvent['type']> = new Set([
  'state',
  'plan',
  'plan-removed',
  'destination',
  'destination-removed',
  'pause',
  'run',
  'alarms',
]);

let newest = 0;
/** The newest question is on its way. */
let isAsking = false;

async function ask(): Promise<void> {
  const mine = ++newest;
  isAsking = true;
  try {
    const facts = await api.home.facts();
    // An answer that was overtaken by a later question says nothing any more.
    if (mine === newest) useHome.setState({ facts, error: undefined });
  } catch (error) {
    if (mine === newest) useHome.setState({ error });
  } finally {
    if (mine === newest) isAsking = false;
  }
}

/** Asks as soon as there is anybody to ask, while the screen is still on its way. */
export function askFirst(): void {
  const stop = useLive.subscribe(({ connection }) => {
    if (connection !== 'open') return;
    stop();
    void ask();
  });
}

/** Keeps the facts right while a screen shows them. */
export function useFacts(): HomeStore {
  const minute = Math.floor(useNow() / 60_000);
  const isOpen = useLive(({ connection }) => connection === 'open');
  useEffect(() => {
    if (isOpen && !isAsking) void ask();
  }, [isOpen, minute]);
  useEffect(() => {
    let stop: (() => void) | undefined;
    const forget = onServiceEvent(({ type }) => {
      if (!told.has(type)) return;
      stop?.();
      stop = after(settleMs, () => void ask());
    });
    return () => {
      forget();
      stop?.();
    };
  }, []);
  return useHome();
}
