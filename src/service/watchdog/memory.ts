/**
 * What the watchdog remembers, in a file of its own: it looks on, and knows what it has told, though the service's state is damaged, in use
 * or gone.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../platform/replace-file.ts';
import type { WatchdogState } from './watchdog.ts';

export interface GuardMemory {
  /** Undefined at first; what another hand made of it is as good as lost. */
  recall(): WatchdogState | undefined;
  /** Throws what the system does. */
  remember(state: WatchdogState): void;
}

/** In a profile. The host is to be small, so that it does not load what knows the others. */
export const watchdogFileIn = (profile: string): string => join(profile, 'watchdog.json');

/** @param profile its folder */
export function guardMemory(profile: string): GuardMemory {
  const file = watchdogFileIn(profile);
  return {
    recall() {
      try {
        const known: unknown = JSON.parse(readFileSync(file, 'utf8'));
        return isState(known) ? known : undefined;
      } catch {
        return undefined;
      }
    },
    remember: (state) => replaceFile(file, JSON.stringify(state)),
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** As {@link watch} has made it. */
function isState(value: unknown): value is WatchdogState {
  if (!isRecord(value) || typeof value.at !== 'number' || typeof value.sinceBoot !== 'number') return false;
  const { plans, known, awake, seen } = value;
  if (!Array.isArray(plans) || !isRecord(known) || !isRecord(awake) || !isRecord(seen)) return false;
  return (
    plans.every((plan) => isRecord(plan) && Array.isArray(plan.destinations) && plan.destinations.every(isRecord)) &&
    Object.values(known).every((each) => isRecord(each) && isRecord(each.problem) && typeof each.toldAt === 'number') &&
    Object.values(seen).every(isRecord)
  );
}
