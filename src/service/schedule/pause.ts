/** Pauses that a person asks for: no run starts by itself, and those that work are held. Plain data, so that a pause survives a restart. */
import { DAY, dayOf, instantOf, wallAt } from './zone.ts';

/** `since` and `until` in milliseconds since 1970; `tomorrow` ends when the next day of the computer's zone begins. */
export type Pause =
  | { readonly kind: 'for'; readonly since: number; readonly milliseconds: number }
  | { readonly kind: 'tomorrow'; readonly since: number }
  | { readonly kind: 'until-resumed'; readonly since: number };

/** What a person may ask for. */
export type PauseWish =
  | { readonly kind: 'for'; readonly milliseconds: number }
  | { readonly kind: 'tomorrow' }
  | { readonly kind: 'until-resumed' };

/** When the pause ends; Infinity for one that does not end by itself. `zone` is the computer's. */
export function pauseEnd(pause: Pause, zone: string): number {
  switch (pause.kind) {
    case 'for':
      return pause.since + pause.milliseconds;
    case 'tomorrow':
      return instantOf(zone, (dayOf(wallAt(zone, pause.since)) + 1) * DAY);
    case 'until-resumed':
      return Infinity;
  }
}
