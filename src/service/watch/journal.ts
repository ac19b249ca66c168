/**
 * The journal of a plan: for each of its destinations, what has changed since the newest snapshot there.
 *
 * - A *baseline* is the snapshot since which is counted, and the cut of the watcher at which the run that made it began.
 * - An *account* is what all later cuts have told, for one destination: a cut that a run takes is also put down for all others.
 *
 * A run takes its account when it begins, before it reads anything. When it ends well, its snapshot is the next baseline; otherwise what it
 * took is given back. Nothing of this is stored: after a restart everything is in doubt anyway.
 */
import type { FullScanReason } from '../../contract/scan.ts';
import type { ChangedFolders } from '../../engine/backup/changed-folders.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Cut, Doubt } from './dirty-folders.ts';

/** So often at least everything is looked at; milliseconds. */
const fullScanEvery = 24 * 60 * 60_000;
/** More changed folders are not worth more than a look at everything. */
const mostFolders = 50_000;
/** As many that are to be looked at each time. */
const mostAlways = 10_000;

/** What a run has to know that ended well. */
export interface Baseline {
  readonly snapshot: string;
  readonly indexFiles: ReadonlySet<string>;
  /** Folders (absolute, latin1) to be looked at each time: with files that have other names, or could not be read. */
  readonly always: ReadonlySet<string>;
  /** When everything was looked at last, in wall time; undefined: it was just now. */
  readonly scannedAt: number | undefined;
}

interface Account {
  baseline: (Baseline & { readonly scannedAt: number }) | undefined;
  folders: Set<string>;
  doubts: Set<Doubt>;
}

/** What a run goes by: either the changes, or why it is to look at everything. */
export type Trusted = { readonly changed: Omit<ChangedFolders, 'whole'> } | { readonly because: FullScanReason };

export interface TakenAccount {
  readonly trusted: Trusted;
  /** Nothing has changed. */
  readonly isEmpty: boolean;
  /** Of the snapshot before: when everything was looked at, and what is looked at each time. */
  readonly scannedAt: number | undefined;
  readonly always: ReadonlySet<string>;
  /** What has changed since it was taken, as far as other runs' cuts tell. */
  since(): { readonly folders: ReadonlySet<string>; readonly doubts: ReadonlySet<Doubt> };
  /** To be called once, when the run has ended; without a baseline it has not ended well. */
  end(baseline: Baseline | undefined): void;
}

export class PlanJournal {
  readonly #clock: Clock;
  readonly #accounts = new Map<string, Account>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `isDoubted`: a change was missed lately, so that everything is looked at, and compared. */
  take(destination: string, cut: Cut, isDoubted: boolean): TakenAccount {
    const isFirst = !this.#accounts.has(destination);
    if (isFirst) this.#accounts.set(destination, { baseline: undefined, folders: new Set(), doubts: new Set() });
    for (const each of this.#accounts.values()) put(each, cut);
    const account = this.#accounts.get(destination)!;
    const { folders, doubts, baseline } = account;
    account.folders = new Set();
    account.doubts = new Set();
    return {
      trusted: this.#trusted(baseline, folders, doubts, isDoubted),
      isEmpty: folders.size === 0 && doubts.size === 0,
      scannedAt: baseline?.scannedAt,
      always: baseline?.always ?? new Set(),
      since: () => account,
      end: (next) => {
        if (next) account.baseline = { ...next, scannedAt: next.scannedAt ?? this.#clock.now() };
        else {
          for (const folder of folders) account.folders.add(folder);
          for (const doubt of doubts) account.doubts.add(doubt);
          limit(account);
        }
      },
    };
  }

  #trusted(baseline: Account['baseline'], folders: ReadonlySet<string>, doubts: ReadonlySet<Doubt>, isDoubted: boolean): Trusted {
    const [doubt] = doubts;
    if (doubt) return { because: doubt };
    if (!baseline) return { because: 'first' };
    const { snapshot: since, indexFiles, always, scannedAt } = baseline;
    if (always.size > mostAlways) return { because: 'hard-links' };
    const age = this.#clock.now() - scannedAt;
    const isDue = age >= fullScanEvery || age < 0;
    const all = [...new Set([...folders, ...always])].map((path) => Buffer.from(path, 'latin1'));
    return { changed: { since, indexFiles, folders: all, compare: isDoubted ? 'missed' : isDue ? 'daily' : undefined } };
  }
}

function put(account: Account, { folders, doubts }: Cut): void {
  for (const folder of folders) account.folders.add(folder.toString('latin1'));
  for (const doubt of doubts) account.doubts.add(doubt);
  limit(account);
}

function limit({ folders, doubts }: Account): void {
  if (folders.size <= mostFolders && !doubts.has('too-many')) return;
  folders.clear();
  doubts.add('too-many');
}
