/** What the procedures about restores do. */
import { implement } from '@orpc/server';
import { restoreContract } from '../../contract/restore.ts';
import type { App } from '../app.ts';
import { receiptFile } from '../restores/receipt-text.ts';
import type { Caller } from '../router.ts';

// The types are written by the library.
export function restoreHandlers({ restores, downloads }: App) {
  const os = implement(restoreContract).$context<Caller>().restore;
  return {
    restore: {
      preview: {
        begin: os.preview.begin.handler(({ input }) => restores.preview(input)),
        page: os.preview.page.handler(({ input: { sheet, after, limit } }) => restores.previews.page(sheet, after, limit)),
        end: os.preview.end.handler(({ input }) => restores.previews.end(input.sheet)),
      },
      start: os.start.handler(({ input }) => restores.start(input)),
      request: os.request.handler(({ input }) => restores.request(input.run)),
      receipt: os.receipt.handler(({ input }) => restores.receipt(input.run)),
      receiptFile: os.receiptFile.handler(({ input: { run, format, language } }) => receiptFile(restores.receipt(run), format, language)),
      download: os.download.handler(({ input }) => downloads.give(input)),
      undo: {
        list: os.undo.list.handler(() => restores.undos()),
        preview: {
          begin: os.undo.preview.begin.handler(({ input }) => ({ sheet: restores.previewUndo(input.id) })),
          page: os.undo.preview.page.handler(({ input: { sheet, after, limit } }) => restores.undoPreviews.page(sheet, after, limit)),
          end: os.undo.preview.end.handler(({ input }) => restores.undoPreviews.end(input.sheet)),
        },
        start: os.undo.start.handler(({ input }) => restores.undo(input.id)),
        forget: os.undo.forget.handler(({ input }) => restores.forgetUndo(input.id)),
      },
      target: os.target.handler(({ input }) => restores.target(input.path)),
    },
  };
}
