/** The real time, but nobody waits: every run would sit out the 0.2 s in which another program's lock may become visible. */
import { type Clock, nextTurn, systemClock } from '../../src/platform/clock.ts';

export const hastyClock: Clock = { ...systemClock, sleep: () => nextTurn() };
