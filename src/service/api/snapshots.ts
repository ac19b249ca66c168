/** What the procedures about snapshots, and about what they hold, do. */
import { implement } from '@orpc/server';
import { browseContract } from '../../contract/browse.ts';
import { snapshotsContract } from '../../contract/snapshots.ts';
import type { Caller } from '../router.ts';
import type { App } from '../app.ts';
import { pageOf } from './page-of.ts';

// The types are written by the library.
/** `onLook`: somebody looks at the list of snapshots. */
export function snapshotHandlers(app: App, onLook: () => void) {
  const { library, differences, deleting } = app;
  const os = implement(snapshotsContract).$context<Caller>().snapshots;
  return {
    snapshots: {
      list: os.list.handler(async ({ input: { cursor, limit, ...wish } }) => {
        onLook();
        const { snapshots, asked } = await library.list(wish);
        const { page, next } = pageOf(snapshots, cursor, limit);
        return { snapshots: page, next, total: snapshots.length, asked };
      }),
      get: os.get.handler(({ input }) => library.get(input.snapshot)),
      previous: os.previous.handler(({ input }) => library.previous(input.snapshot)),
      computers: os.computers.handler(() => library.computers()),
      annotate: os.annotate.handler(({ input: { snapshot, ...change } }) => library.annotate(snapshot, change)),
      planDelete: os.planDelete.handler(({ input, signal }) => deleting.plan(input.snapshots, input.destinations, signal)),
      delete: os.delete.handler(({ input }) => app.delete(input)),
      stats: os.stats.handler(({ input, signal }) => deleting.stats(input.snapshot, input.destination, signal)),
      diff: {
        begin: os.diff.begin.handler(({ input }) => differences.begin(input)),
        page: os.diff.page.handler(({ input: { sheet, after, limit } }) => differences.sheets.page(sheet, after, limit)),
        end: os.diff.end.handler(({ input }) => differences.sheets.end(input.sheet)),
      },
      changes: os.changes.handler(({ signal }) => library.changes(signal)),
    },
  };
}

export function browseHandlers({ browsing }: App) {
  const os = implement(browseContract).$context<Caller>().browse;
  return {
    browse: {
      folder: os.folder.handler(({ input }) => browsing.folder(input)),
      info: os.info.handler(({ input }) => browsing.info(input)),
      preview: os.preview.handler(({ input: { textBytes, pictureBytes, ...where } }) =>
        browsing.preview(where, { textBytes, pictureBytes }),
      ),
      compare: os.compare.handler(({ input: { before, after, context } }) => browsing.compare(before, after, context)),
    },
  };
}
