/**
 * Tells of the alarms of a service that somebody else carries: its host has no screen. As the watchdog does it: when one is new, again each
 * day, and once more when it is solved.
 */
import type { Alarm, Notice } from '../../src/contract/state.ts';

const dayMs = 24 * 60 * 60_000;

export class AlarmWatch {
  readonly #known = new Map<string, { alarm: Alarm; toldAt: number }>();

  /** To be called with each state, and now and then. `now` in milliseconds of wall time. */
  see(alarms: readonly Alarm[], now: number): Notice[] {
    const notices: Notice[] = [];
    for (const alarm of alarms) {
      const known = this.#known.get(alarm.key);
      // A clock that was set back does not make anybody wait.
      const isDue = known === undefined || now - known.toldAt >= dayMs || now < known.toldAt;
      if (isDue) notices.push({ what: known ? 'repeated' : 'raised', alarm });
      this.#known.set(alarm.key, { alarm, toldAt: isDue ? now : known.toldAt });
    }
    const keys = new Set(alarms.map(({ key }) => key));
    for (const [key, { alarm }] of this.#known) {
      if (keys.has(key)) continue;
      this.#known.delete(key);
      notices.push({ what: 'solved', alarm });
    }
    return notices;
  }

  /** Somebody else tells from now on. */
  forget(): void {
    this.#known.clear();
  }
}
