/** What the catalogue's procedures do. */
import { implement } from '@orpc/server';
import { catalogueContract } from '../../contract/catalogue.ts';
import type { CatalogueKeeper } from './keeper.ts';
import { protectionOf, type ProtectionOptions } from './protection.ts';

const os = implement(catalogueContract);

// The type is written by the library.
export function catalogueRouter(options: ProtectionOptions & { readonly keeper: CatalogueKeeper }) {
  const { keeper } = options;
  return os.router({
    state: os.state.handler(() => keeper.state()),
    watch: os.watch.handler(({ signal }) => keeper.watch(signal)),
    refresh: os.refresh.handler(({ input }) => keeper.refresh(input.destination)),
    check: os.check.handler(({ input }) => keeper.check(input.destination)),
    snapshots: os.snapshots.handler(({ input }) => keeper.ask('snapshots', input)),
    folder: os.folder.handler(({ input }) => keeper.ask('folder', input)),
    entry: os.entry.handler(({ input }) => keeper.ask('entry', input)),
    versions: os.versions.handler(({ input }) => keeper.ask('versions', input)),
    holding: os.holding.handler(({ input }) => keeper.ask('holding', input)),
    search: os.search.handler(({ input }) => keeper.ask('search', input)),
    usage: os.usage.handler(({ input }) => keeper.ask('usage', input)),
    changes: os.changes.handler(({ input }) => keeper.ask('changes', input)),
    protected: os.protected.handler(({ input }) => protectionOf(input.path, options)),
  });
}
