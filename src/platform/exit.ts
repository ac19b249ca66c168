/** Ending the process without waiting for anything. */
import { flushCompileCache } from 'node:module';
import { openCLibrary } from './c-library.ts';

/**
 * Ends the process at once, whatever its threads are doing; what was written must have been flushed. `process.exit` ends worker
 * threads first, and one that is just in a call into native code would abort the process instead, with another exit code; and it
 * waits for V8's own threads, of which one may wait for the main thread.
 */
export function exitAtOnce(code: number): never {
  // What Node itself would do at the end, for those who have asked for it (NODE_COMPILE_CACHE).
  flushCompileCache();
  if (process.platform !== 'win32') {
    try {
      openCLibrary().func('_exit', 'void', ['int'])(code);
    } catch {
      // native-missing: then no thread is in such a call either.
    }
  }
  return process.exit(code);
}
