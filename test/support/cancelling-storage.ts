/** A storage that cancels a run at its nth write or removal. */
import type { RunControl } from '../../src/platform/cancellation.ts';
import type { Storage } from '../../src/storage/storage.ts';

/** The first is number 1; what is asked for is done all the same. */
export function cancelling(inner: Storage, control: RunControl, nth: number): Storage {
  let seen = 0;
  const count = (): void => {
    seen += 1;
    if (seen === nth) control.cancel();
  };
  return {
    location: inner.location,
    create: () => inner.create(),
    save: (file, parts) => (count(), inner.save(file, parts)),
    remove: (file) => (count(), inner.remove(file)),
    load: (file, range) => inner.load(file, range),
    size: (file) => inner.size(file),
    list: (kind) => inner.list(kind),
    close: () => inner.close(),
  };
}
