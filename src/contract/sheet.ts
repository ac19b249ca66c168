/**
 * Sheets: long results that are worked out while a client already looks at them.
 *
 * `begin` starts the work and answers at once with the sheet's ID. `page` gives rows from the row `after` on: at once when they are
 * there, else as soon as some are, or the work has ended, or a second has passed. `isComplete` says that no more will come; while it is false,
 * `counted` grows, and the client asks again. `end` ends the work and forgets it; so do ten minutes in which nobody asks, and then `page` throws
 * `sheet-not-found`. When the work fails, `page` throws its error.
 */
import { z } from 'zod';

export const sheetSchema = z.strictObject({ sheet: z.uuid() });

export const sheetPageSchema = z.strictObject({
  sheet: z.uuid(),
  after: z.int().nonnegative().default(0),
  limit: z.int().min(1).max(1000).default(200),
});

export const sheetStateSchema = z.strictObject({
  /** Rows that are there now. */
  counted: z.int(),
  isComplete: z.boolean(),
});
