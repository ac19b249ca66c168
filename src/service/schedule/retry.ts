/** How long after a failed run the next try is made. */

const MINUTE = 60_000;
const pauses = [2, 5, 15, 30, 60, 120, 240].map((minutes) => minutes * MINUTE);

/**
 * Milliseconds from the end of the `failures`-th failure in a row (from 1 on) to the next try. It grows to four hours and stays there:
 * nobody knows when the server comes back, and the watchdog says meanwhile that something is wrong.
 */
export const retryPause = (failures: number): number => pauses[Math.min(Math.max(failures, 1), pauses.length) - 1]!;
