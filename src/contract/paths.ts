/**
 * Paths as they cross between the service and its clients.
 *
 * A file's name on Linux is any bytes, not necessarily UTF-8. In a path that crosses, each byte that is no part of valid UTF-8 is one
 * lone surrogate, U+DC00 plus the byte (as Python's "surrogateescape", PEP 383): no valid name holds one, so a path comes back as the
 * bytes that it was. A client shows such a text as it is; screens draw a replacement character. src/platform/path-text.ts converts.
 * The separator is `/`, and a path within a snapshot begins with it.
 */
import { z } from 'zod';

export const pathSchema = z
  .string()
  .min(1, 'must not be empty')
  .max(32_768, 'is too long')
  .regex(/^[^\0]*$/, 'holds a NUL');

/** Within a snapshot: `/` is its root. */
export const snapshotPathSchema = pathSchema.regex(/^\//, 'must begin with /');

/** Of lists that a client goes through: the `next` of the page before. */
export const cursorSchema = z.string().max(2000);
