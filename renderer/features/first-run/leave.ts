/** Whether the person has put the first run off: then Home is shown without it, until the page is opened again. */
import { change, forget } from './store.ts';

let isPutOff = false;

export const isFirstRunPutOff = (): boolean => isPutOff;

/** Puts it off; what was chosen is kept, but for the password. */
export function leaveFirstRun(): void {
  isPutOff = true;
  change({ password: '' });
}

/** It is done. */
export function endFirstRun(): void {
  isPutOff = true;
  forget();
}
