/** Ending the process without waiting for anything. */
import { openCLibrary } from './c-library.ts';

/**
 * Ends the process at once, whatever its threads are doing. `process.exit` ends worker threads first, and one that is just
 * in a call into native code would abort the process instead, with another exit code.
 */
export function exitAtOnce(code: number): never {
  if (process.platform !== 'win32') {
    try {
      openCLibrary().func('_exit', 'void', ['int'])(code);
    } catch {
      // native-missing: then no thread is in such a call either.
    }
  }
  return process.exit(code);
}
