/** A sheet of the service's (src/contract/sheet.ts): rows that come while the work goes on. */
import { useCallback, useEffect, useRef, useState } from 'react';

interface SheetPage {
  readonly rows: readonly unknown[];
  readonly counted: number;
  readonly isComplete: boolean;
}

interface Asking<P extends SheetPage> {
  begin(signal: AbortSignal): Promise<{ readonly sheet: string }>;
  page(sheet: string, after: number, signal: AbortSignal): Promise<P>;
  end(sheet: string): Promise<unknown>;
}

export interface Sheet<P extends SheetPage> {
  readonly rows: P['rows'];
  readonly page: P | undefined;
  readonly isComplete: boolean;
  readonly error: unknown;
  /** Give it to a list's `onRange`: rows beyond the first thousands are fetched when they are scrolled to. */
  readonly onRange: (first: number, last: number) => void;
}

/** So many rows are fetched while nobody scrolls. */
const rowsAhead = 1000;

/** `key` names the work; another one begins anew. */
export function useSheet<P extends SheetPage>(key: string, asking: Asking<P>): Sheet<P> {
  const [state, setState] = useState<{ rows: P['rows']; page: P | undefined; error: unknown }>({
    rows: [],
    page: undefined,
    error: undefined,
  });
  const latest = useRef(asking);
  latest.current = asking;
  const wanted = useRef(rowsAhead);
  const wake = useRef<() => void>(() => {});
  useEffect(() => {
    const stop = new AbortController();
    const { begin, page, end } = latest.current;
    wanted.current = rowsAhead;
    setState({ rows: [], page: undefined, error: undefined });
    const follow = async (): Promise<void> => {
      const { sheet } = await begin(stop.signal);
      stop.signal.addEventListener('abort', () => void end(sheet).catch(() => {}));
      if (stop.signal.aborted) {
        await end(sheet).catch(() => {});
        return;
      }
      let rows: P['rows'] = [];
      for (;;) {
        const next = await page(sheet, rows.length, stop.signal);
        if (stop.signal.aborted) return;
        rows = [...rows, ...next.rows];
        setState({ rows, page: next, error: undefined });
        if (next.isComplete && rows.length >= next.counted) return;
        // What is not looked at is only counted.
        if (next.isComplete && rows.length >= wanted.current) await new Promise<void>((resolve) => (wake.current = resolve));
      }
    };
    follow().catch((error: unknown) => stop.signal.aborted || setState((before) => ({ ...before, error })));
    return () => {
      stop.abort();
      wake.current();
    };
  }, [key]);
  const onRange = useCallback((_: number, last: number): void => {
    if (last + 200 <= wanted.current) return;
    wanted.current = last + rowsAhead;
    wake.current();
  }, []);
  const { page } = state;
  return { ...state, isComplete: page?.isComplete === true, onRange };
}
