/**
 * Proposes a schedule, a strategy mix and destinations for what a person wants: how much they may lose (RPO) and how long getting
 * everything back may take (RTO). Pure; each proposal carries its reasons as data.
 *
 * Formulas:
 * - *Interval* = RPO / 2, rounded down to a step that divides a day (at least 5 minutes, at most a day): one run may fail and its retry
 *   still makes the target.
 * - *Run* = bytes changed in an interval / rate of writing. A destination keeps the RPO when interval + run ≤ RPO.
 * - *First run* = size / rate of writing.
 * - *Restore* = size / rate of reading; a destination keeps the RTO when that is not longer. A measured rate (drills, restores) counts
 *   before an assumed one.
 * - *Full run* = size / 100 MB/s, since every byte is read, hashed and compared: monthly up to 2 hours, quarterly up to 12, else yearly.
 * - *Differential* weekly, as long as a week changes less than half of it; above that it costs what a full one does.
 * - *3-2-1*: three copies (the files and two more), two media, one off-site.
 */
import type { MixPeriod, Schedule } from '../../contract/schedule.ts';

/** `computer`: on a disk of this computer. `external`: a drive. `server`: in the same building. `remote`: cloud, or far away. */
export type PlaceKind = 'computer' | 'external' | 'server' | 'remote';

export interface KnownDestination {
  readonly id: string;
  readonly kind: PlaceKind;
  /** Measured by drills and restores of this destination. */
  readonly measuredRestoreBytesPerSecond?: number | undefined;
}

export interface Wishes {
  readonly sizeBytes: number;
  readonly changePerDayBytes: number;
  readonly rpoMinutes: number;
  readonly rtoMinutes: number;
  readonly destinations: readonly KnownDestination[];
  readonly uplinkBytesPerSecond?: number | undefined;
  /** Measured anywhere; for destinations without a figure of their own, where it limits what is assumed. */
  readonly measuredRestoreBytesPerSecond?: number | undefined;
}

export type Advice =
  | { readonly code: 'interval'; readonly rpoMinutes: number; readonly intervalMinutes: number }
  | { readonly code: 'change-trigger'; readonly delaySeconds: number; readonly rpoMinutes: number }
  | { readonly code: 'full-period'; readonly period: MixPeriod; readonly fullSeconds: number }
  | { readonly code: 'no-differential'; readonly weekBytes: number; readonly sizeBytes: number }
  /** Restores from there keep the RTO, the fastest of all that are known. */
  | { readonly code: 'primary'; readonly restoreSeconds: number; readonly rtoMinutes: number }
  | { readonly code: 'off-site-copy'; readonly firstSeconds: number }
  | { readonly code: 'further-copy' }
  | { readonly code: 'too-slow-to-restore'; readonly restoreSeconds: number; readonly rtoMinutes: number }
  | { readonly code: 'too-slow-to-store'; readonly runSeconds: number; readonly intervalMinutes: number; readonly rpoMinutes: number }
  | { readonly code: 'same-disk' }
  | { readonly code: 'drive-away'; readonly rpoMinutes: number }
  | { readonly code: 'add-fast'; readonly restoreSeconds: number; readonly rtoMinutes: number }
  | { readonly code: 'add-off-site'; readonly copies: number }
  | { readonly code: 'add-copy'; readonly copies: number };

export interface DestinationAdvice {
  /** Of a known destination; nothing: one of this kind should be added. */
  readonly id: string | undefined;
  readonly kind: PlaceKind;
  readonly role: 'primary' | 'copy';
  readonly reasons: readonly Advice[];
}

export interface Proposal {
  readonly schedule: Schedule;
  readonly scheduleReasons: readonly Advice[];
  /** The primary first. */
  readonly destinations: readonly DestinationAdvice[];
}

const MB = 1_000_000;
/** What such places usually reach when nobody has measured: hard disks over USB, Wi-Fi, a home's connection. */
const assumedRestore: Readonly<Record<PlaceKind, number>> = { computer: 150 * MB, external: 100 * MB, server: 30 * MB, remote: 5 * MB };
const assumedStore: Readonly<Record<PlaceKind, number>> = { computer: 150 * MB, external: 80 * MB, server: 30 * MB, remote: 1 * MB };
const fullRate = 100 * MB;

const steps = [5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440];
/** Below this target a change need not wait for the next time. */
const soonMinutes = 240;

/** All sizes in bytes, none negative; targets in minutes, from 1 on. */
export function advise(wishes: Wishes): Proposal {
  const { rpoMinutes, sizeBytes, changePerDayBytes } = wishes;
  const intervalMinutes = steps.findLast((step) => step <= rpoMinutes / 2) ?? steps[0]!;
  const scheduleReasons: Advice[] = [{ code: 'interval', rpoMinutes, intervalMinutes }];
  const triggers: Schedule['triggers'] = [
    intervalMinutes === 1440 ? { kind: 'daily', at: '12:00' } : { kind: 'interval', minutes: intervalMinutes },
  ];
  if (rpoMinutes <= soonMinutes) {
    const delaySeconds = Math.max(60, Math.min(900, Math.floor((rpoMinutes * 60) / 4)));
    triggers.push({ kind: 'change', delaySeconds });
    scheduleReasons.push({ code: 'change-trigger', delaySeconds, rpoMinutes });
  }
  const destinations = adviseDestinations(wishes, intervalMinutes);
  // Of the places that there are; with none yet, of those that are proposed.
  const places = wishes.destinations.length > 0 ? wishes.destinations : destinations;
  if (places.some(({ kind }) => kind === 'external')) triggers.push({ kind: 'drive' });
  const fullSeconds = Math.ceil(sizeBytes / fullRate);
  const period: MixPeriod = fullSeconds <= 2 * 3600 ? 'month' : fullSeconds <= 12 * 3600 ? 'quarter' : 'year';
  scheduleReasons.push({ code: 'full-period', period, fullSeconds });
  const weekBytes = changePerDayBytes * 7;
  const isDifferential = weekBytes < sizeBytes / 2;
  if (!isDifferential) scheduleReasons.push({ code: 'no-differential', weekBytes, sizeBytes });
  return {
    schedule: {
      triggers,
      strategy: { full: period, ...(isDifferential ? { differential: 'week' } : {}), otherwise: 'incremental' },
      conditions: { onBattery: { abovePercent: 30 }, onMetered: false },
      zone: 'computer',
    },
    scheduleReasons,
    destinations,
  };
}

interface Judged extends KnownDestination {
  readonly restoreSeconds: number;
  readonly firstSeconds: number;
  readonly runSeconds: number;
  readonly keepsRpo: boolean;
  readonly keepsRto: boolean;
}

function judge(wishes: Wishes, place: KnownDestination, intervalMinutes: number): Judged {
  const { sizeBytes, changePerDayBytes, uplinkBytesPerSecond, measuredRestoreBytesPerSecond, rpoMinutes, rtoMinutes } = wishes;
  const assumed = Math.min(assumedRestore[place.kind], measuredRestoreBytesPerSecond ?? Infinity);
  const restoreSeconds = Math.ceil(sizeBytes / (place.measuredRestoreBytesPerSecond ?? assumed));
  const store = place.kind === 'remote' ? (uplinkBytesPerSecond ?? assumedStore.remote) : assumedStore[place.kind];
  const runSeconds = Math.ceil((changePerDayBytes * intervalMinutes) / 1440 / store);
  return {
    ...place,
    restoreSeconds,
    firstSeconds: Math.ceil(sizeBytes / store),
    runSeconds,
    keepsRpo: intervalMinutes * 60 + runSeconds <= rpoMinutes * 60,
    keepsRto: restoreSeconds <= rtoMinutes * 60,
  };
}

function adviseDestinations(wishes: Wishes, intervalMinutes: number): DestinationAdvice[] {
  const { rpoMinutes, rtoMinutes } = wishes;
  const judged = wishes.destinations.map((place) => judge(wishes, place, intervalMinutes));
  const rank = (each: Judged): number => (each.keepsRto ? 2 : 0) + (each.keepsRpo ? 1 : 0);
  const ordered = judged.toSorted((a, b) => rank(b) - rank(a) || a.restoreSeconds - b.restoreSeconds);
  // One on the computer's own disk dies with it, so that it comes after all others, those to be added included.
  const safe = ordered.filter(({ kind }) => kind !== 'computer');
  const places: (Judged & { readonly wanted?: Advice })[] = [...safe];
  const add = (kind: PlaceKind, wanted: (place: Judged) => Advice): void => {
    const place = judge(wishes, { id: '', kind }, intervalMinutes);
    places.push({ ...place, wanted: wanted(place) });
  };
  // Where even a drive of its own is too slow, another one changes nothing.
  const isDriveFast = judge(wishes, { id: '', kind: 'external' }, intervalMinutes).keepsRto;
  if (safe.length === 0 || (isDriveFast && !safe.some(({ keepsRto }) => keepsRto))) {
    add('external', ({ restoreSeconds }) => ({ code: 'add-fast', restoreSeconds, rtoMinutes }));
  }
  // The files themselves are a copy, too.
  if (!places.some(({ kind }) => kind === 'remote')) add('remote', () => ({ code: 'add-off-site', copies: 1 + places.length }));
  if (1 + places.length < 3) add('external', () => ({ code: 'add-copy', copies: 1 + places.length }));
  places.push(...ordered.filter(({ kind }) => kind === 'computer'));
  return places.map((place, i) => ({
    id: place.wanted ? undefined : place.id,
    kind: place.kind,
    role: i === 0 ? 'primary' : 'copy',
    reasons: place.wanted ? [place.wanted] : reasonsFor(place, i === 0),
  }));

  function reasonsFor({ kind, restoreSeconds, firstSeconds, runSeconds, keepsRpo, keepsRto }: Judged, isFirst: boolean): Advice[] {
    const reasons: Advice[] = [];
    if (isFirst && keepsRto) reasons.push({ code: 'primary', restoreSeconds, rtoMinutes });
    if (!isFirst && kind !== 'computer')
      reasons.push(kind === 'remote' ? { code: 'off-site-copy', firstSeconds } : { code: 'further-copy' });
    if (!keepsRto) reasons.push({ code: 'too-slow-to-restore', restoreSeconds, rtoMinutes });
    if (!keepsRpo) reasons.push({ code: 'too-slow-to-store', runSeconds, intervalMinutes, rpoMinutes });
    if (kind === 'computer') reasons.push({ code: 'same-disk' });
    if (kind === 'external' && rpoMinutes < 1440) reasons.push({ code: 'drive-away', rpoMinutes });
    return reasons;
  }
}
