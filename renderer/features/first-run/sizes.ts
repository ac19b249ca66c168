/** How much the folders of the first run hold: counted while the person goes on, whatever step they are at. */
import { useEffect } from 'react';
import { api } from '../../api.ts';
import { bytes } from '../../ui/format.ts';
import { change, useFirstRun } from './store.ts';

/** `1.2 GB`, with an ellipsis while it is still counted. */
export const sizeText = ({ bytes: size, isDone }: { readonly bytes: number; readonly isDone: boolean }): string =>
  `${bytes(size)}${isDone ? '' : '…'}`;

/** Counts what the candidates hold, those that are not counted yet, as long as it is on the screen and `isWanted`. */
export function useSizes(isWanted: boolean): void {
  const candidates = useFirstRun((state) => state.candidates);
  useEffect(() => {
    const paths = (isWanted ? (candidates ?? []) : [])
      .filter(({ path, isReadable }) => isReadable && useFirstRun.getState().sizes.get(path)?.isDone !== true)
      .map(({ path }) => path);
    if (paths.length === 0) return;
    const stop = new AbortController();
    void (async () => {
      try {
        for await (const size of await api.files.sizes({ paths }, { signal: stop.signal })) {
          change({ sizes: new Map(useFirstRun.getState().sizes).set(size.path, size) });
        }
      } catch {
        // Sizes are a help, no condition.
      }
    })();
    return () => stop.abort();
  }, [candidates, isWanted]);
}
