/** Short messages about what a person just did: shown for a moment, and read out politely. */
import { create } from 'zustand';
import { after } from '../clock.ts';

export interface Message {
  readonly id: number;
  readonly text: string;
  /** What was thrown, for one that tells of a failure; it stays until it is closed. */
  readonly error?: unknown;
}

/** Long enough to be read twice. */
const shownMs = 7000;

export const useMessages = create<{ readonly messages: readonly Message[] }>(() => ({ messages: [] }));
let last = 0;

export function closeMessage(id: number): void {
  useMessages.setState(({ messages }) => ({ messages: messages.filter((each) => each.id !== id) }));
}

/** Says that something was done. */
export function say(text: string): void {
  const id = ++last;
  useMessages.setState(({ messages }) => ({ messages: [...messages.slice(-3), { id, text }] }));
  after(shownMs, () => closeMessage(id));
}

/** Says that something could not be done. */
export function tellError(error: unknown): void {
  useMessages.setState(({ messages }) => ({ messages: [...messages.slice(-3), { id: ++last, text: '', error }] }));
}

/** Runs what a person asked for; a failure is told. Returns whether it was done. */
export async function attempt(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    tellError(error);
    return false;
  }
}
