/** A long list of the service's, page by page as it is scrolled. */
import { useCallback, useEffect, useRef, useState } from 'react';

interface PageOfRows {
  readonly rows: readonly unknown[];
  readonly next: string | null;
}

export interface Pages<P extends PageOfRows> {
  readonly rows: P['rows'];
  /** The newest page, for what it says besides. */
  readonly page: P | undefined;
  readonly hasMore: boolean;
  readonly error: unknown;
  /** Nothing of this list has come yet. */
  readonly isWaiting: boolean;
  /** Give it to a list's `onRange`. */
  readonly onRange: (first: number, last: number) => void;
  readonly again: () => void;
}

/** Rows that are left below before more are asked for. */
const ahead = 80;

/** `key` names the list; another one begins anew, and keeps what is shown until its first page is there. Undefined: no list. */
export function usePages<P extends PageOfRows>(
  key: string | undefined,
  ask: (cursor: string | undefined, signal: AbortSignal) => Promise<P>,
): Pages<P> {
  const [state, setState] = useState<{ rows: P['rows']; page: P | undefined; error: unknown; isWaiting: boolean }>({
    rows: [],
    page: undefined,
    error: undefined,
    isWaiting: key !== undefined,
  });
  const [round, setRound] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  const asking = useRef<AbortController>(undefined);
  const isBusy = useRef(false);
  const fetchPage = useCallback((cursor: string | undefined): void => {
    const stop = asking.current;
    if (!stop) return;
    isBusy.current = true;
    latest.current(cursor, stop.signal).then(
      (page) => {
        if (stop.signal.aborted) return;
        isBusy.current = false;
        setState((before) => ({
          rows: cursor === undefined ? page.rows : [...before.rows, ...page.rows],
          page,
          error: undefined,
          isWaiting: false,
        }));
        // Looking took long, and found nothing yet.
        if (page.rows.length === 0 && page.next !== null) fetchPage(page.next);
      },
      (error: unknown) => {
        if (stop.signal.aborted) return;
        isBusy.current = false;
        setState((before) => ({ ...before, rows: cursor === undefined ? [] : before.rows, error, isWaiting: false }));
      },
    );
  }, []);
  useEffect(() => {
    if (key === undefined) {
      setState({ rows: [], page: undefined, error: undefined, isWaiting: false });
      return undefined;
    }
    const stop = new AbortController();
    asking.current = stop;
    setState((before) => ({ ...before, isWaiting: true }));
    fetchPage(undefined);
    return () => stop.abort();
  }, [key, round, fetchPage]);
  const next = state.page?.next ?? null;
  const count = state.rows.length;
  const onRange = useCallback(
    (_: number, last: number): void => {
      if (next !== null && !isBusy.current && last >= count - ahead) fetchPage(next);
    },
    [next, count, fetchPage],
  );
  const again = useCallback(() => setRound((before) => before + 1), []);
  return { ...state, hasMore: next !== null, onRange, again };
}
