/** Giving way to everything else that the computer does. */
import { constants, setPriority } from 'node:os';

/** Everything that this process starts from now on has the same priority; on Linux the disk follows it. A system that refuses changes nothing. */
export function yieldToOthers(): void {
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // As it is.
  }
}
