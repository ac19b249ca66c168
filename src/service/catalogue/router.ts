/** What the catalogue's procedures do. */
import { implement } from '@orpc/server';
import { catalogueContract } from '../../contract/catalogue.ts';
import { fail } from '../../contract/errors.ts';

const os = implement(catalogueContract);

// The type is written by the library.
export function catalogueRouter() {
  const later = (): never => fail('catalogue-failed', { path: 'catalogue.db' });
  return os.router({
    state: os.state.handler(() => ({ destinations: [], bytes: 0 })),
    watch: os.watch.handler(later),
    refresh: os.refresh.handler(later),
    check: os.check.handler(later),
    snapshots: os.snapshots.handler(later),
    folder: os.folder.handler(later),
    entry: os.entry.handler(later),
    versions: os.versions.handler(later),
    holding: os.holding.handler(later),
    search: os.search.handler(later),
    usage: os.usage.handler(later),
    changes: os.changes.handler(later),
    protected: os.protected.handler(later),
  });
}
