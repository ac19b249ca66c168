/** What the procedures about the computer's folders do. */
import { implement } from '@orpc/server';
import { filesContract } from '../../contract/files.ts';
import type { App } from '../app.ts';
import { folderSizes } from '../files/folder-sizes.ts';
import { capacityOf, localFolder, suggestedFolders } from '../files/local-folders.ts';
import { noProtection, showProtection } from '../files/protection.ts';
import { patternsLeavingOut } from '../plans/own-folders.ts';
import type { Caller } from '../router.ts';

// The types are written by the library.
export function filesHandlers({ clock, homeFolder, protection, ownFiles, state }: App) {
  const os = implement(filesContract).$context<Caller>().files;
  return {
    files: {
      suggested: os.suggested.handler(() => suggestedFolders(homeFolder)),
      folder: os.folder.handler(({ input }) => localFolder({ ...input, path: input.path ?? homeFolder })),
      sizes: os.sizes.handler(({ input, signal }) => folderSizes(input.paths, clock, signal)),
      capacity: os.capacity.handler(({ input }) => capacityOf(input.path, homeFolder)),
      protection: {
        begin: os.protection.begin.handler(({ input: { sources, excludes, destinations, all } }) => {
          const own = patternsLeavingOut(ownFiles, { sources });
          const repositories = destinations.map((id) => state.destination(id).place).filter((place) => place.startsWith('/'));
          const wish = { sources, excludes, own, repositories, all };
          return { sheet: protection.begin(noProtection(), (writer, control) => showProtection(wish, writer, { clock, control })) };
        }),
        page: os.protection.page.handler(({ input: { sheet, after, limit } }) => protection.page(sheet, after, limit)),
        end: os.protection.end.handler(({ input }) => protection.end(input.sheet)),
      },
    },
  };
}
