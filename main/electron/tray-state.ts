/** What the tray shows of the service's state. Pure. */
import type { State } from '../../src/contract/state.ts';
import { ago, clockTime, type Language, wordsOf } from './words/words.ts';

/**
 * How the service stands to the shell:
 * - *starting*: it has not said anything yet;
 * - *open*: its state is known and kept up to date;
 * - *away*: it ended, or cannot be started; it is tried again;
 * - *other-version*: one of another version serves this profile.
 */
export type Connection = 'starting' | 'open' | 'away' | 'other-version';

export interface Known {
  readonly connection: Connection;
  readonly state: State | undefined;
}

export type TrayIcon = 'fine' | 'working' | 'paused' | 'attention';

const isAtWork = (state: State): boolean => state.runs.some(({ status }) => status === 'running');

/** Attention stays until it is solved, also while a run is at work on that; a person's pause counts more than what it does not hold. */
export function trayIcon({ connection, state }: Known): TrayIcon {
  if (connection === 'away' || connection === 'other-version') return 'attention';
  if (!state) return 'fine';
  if (state.alarms.length > 0) return 'attention';
  if (state.pause) return 'paused';
  return isAtWork(state) ? 'working' : 'fine';
}

/** The line at the top of the menu, also what is said when the pointer rests on the icon. */
export function statusLine({ connection, state }: Known, language: Language, now: number): string {
  const { status } = wordsOf(language);
  if (connection === 'away') return status.away;
  if (connection === 'other-version') return status.otherVersion;
  if (!state) return status.starting;
  if (state.alarms.length > 0) return status.attention(state.alarms.length);
  if (state.pause) return state.pause.until === null ? status.paused : status.pausedUntil(clockTime(language, state.pause.until, now));
  const atWork = state.runs.filter((run) => run.status === 'running');
  if (atWork.length > 1) return status.workingOnSeveral(atWork.length);
  if (atWork.length === 1) return status.working(atWork[0].planName, percentOf(state, atWork[0].id));
  const enabled = state.plans.filter((plan) => plan.enabled);
  if (enabled.length === 0) return status.noPlans;
  const newest = enabled.map(({ id }) =>
    Math.max(...Object.values(state.planStates.find(({ plan }) => plan === id)?.lastSuccess ?? {}), -Infinity),
  );
  // The plan that has waited longest is what counts.
  const oldest = Math.min(...newest);
  return oldest === -Infinity ? status.neverBackedUp : status.fine(ago(language, oldest, now));
}

/** Whole, and 100 only at the end; undefined while nobody knows how much there is. */
export function percentOf(state: State, run: number): number | undefined {
  const progress = state.progress.find((each) => each.run === run);
  if (!progress?.totalBytes) return undefined;
  return Math.min(99, Math.floor((100 * progress.bytes) / progress.totalBytes));
}

/** Whether the computer is to stay awake: standby in the middle of a run would leave it half done. */
export const keepsAwake = ({ connection, state }: Known): boolean => connection === 'open' && state !== undefined && isAtWork(state);
