/** Reads a recovery kit that was saved as a file. */
import { kitSchema, type RecoveryKit } from '../../../src/contract/kit.ts';
import { kitDataId } from './page.ts';

/** What the page says; undefined when it is no recovery kit. */
export function readKit(page: string): RecoveryKit | undefined {
  const data = new DOMParser().parseFromString(page, 'text/html').getElementById(kitDataId)?.textContent;
  if (data === undefined || data === null) return undefined;
  try {
    return kitSchema.safeParse(JSON.parse(data)).data;
  } catch {
    return undefined;
  }
}
