/** What the service answers to a question, for as long as a screen shows it. */
import { useCallback, useEffect, useRef, useState } from 'react';

export interface Answer<T> {
  /** The newest answer; while a new one is on its way that of the question before, so that nothing jumps. */
  readonly value: T | undefined;
  readonly error: unknown;
  readonly isWaiting: boolean;
  /** Asks again. */
  readonly again: () => void;
}

/**
 * Asks when `key` changes and once more when {@link Answer.again} is called. What comes for an older question is dropped.
 * `key` undefined: nothing is asked.
 */
export function useAnswer<T>(key: string | undefined, ask: (signal: AbortSignal) => Promise<T>): Answer<T> {
  const [state, setState] = useState<{ value: T | undefined; error: unknown; isWaiting: boolean }>({
    value: undefined,
    error: undefined,
    isWaiting: key !== undefined,
  });
  const [round, setRound] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    if (key === undefined) {
      setState({ value: undefined, error: undefined, isWaiting: false });
      return undefined;
    }
    const stop = new AbortController();
    setState((before) => ({ ...before, isWaiting: true }));
    latest.current(stop.signal).then(
      (value) => stop.signal.aborted || setState({ value, error: undefined, isWaiting: false }),
      (error: unknown) => stop.signal.aborted || setState({ value: undefined, error, isWaiting: false }),
    );
    return () => stop.abort();
  }, [key, round]);
  const again = useCallback(() => setRound((count) => count + 1), []);
  return { ...state, again };
}
