/** Choosing among a repository's snapshots, in the options of several verbs. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { fail } from '../contract/errors.ts';
import { chooseSnapshots, type DamagedSnapshot, type SnapshotChoice } from '../engine/choose-snapshots.ts';
import type { Repository } from '../repository/repository.ts';
import type { Snapshot } from '../repository/snapshot.ts';
import { collect } from './arguments.ts';
import { formatTimeText } from './dates.ts';
import type { Output } from './output.ts';

export interface SnapshotFilter {
  readonly host?: readonly string[];
  readonly path?: readonly string[];
  readonly tag?: readonly string[];
}

export const addSnapshotFilter = (command: Command): Command =>
  command
    .option('--host <name>', 'only snapshots of this computer (may be repeated: of any of them)', collect)
    .option('--path <path>', 'only snapshots that hold this folder or file (may be repeated: all of them)', collect)
    .option('--tag <tag[,tag…]>', 'only snapshots with all these tags (may be repeated: any of the lists)', collect);

export function matchesFilter(snapshot: Snapshot, { host, path, tag }: SnapshotFilter): boolean {
  if (host && !host.includes(snapshot.hostname ?? '')) return false;
  if (path && !path.every((wanted) => snapshot.paths.includes(wanted) || snapshot.paths.includes(resolve(wanted)))) return false;
  return !tag || tag.some((list) => list.split(',').every((each) => hasTag(snapshot, each.trim())));
}

/** As in restic, the empty tag means: none at all. */
const hasTag = ({ tags }: Snapshot, tag: string): boolean => (tag === '' ? (tags ?? []).length === 0 : tags?.includes(tag) === true);

/** The snapshots that the filter lets through, oldest first, and how many cannot be read, which are told to the person. */
export async function filteredSnapshots(
  repository: Repository,
  filter: SnapshotFilter,
  output: Output,
): Promise<{ snapshots: Snapshot[]; damaged: number }> {
  let damaged = 0;
  const snapshots = await repository.snapshots((id, error) => {
    damaged += 1;
    output.problem({ path: undefined, kind: 'snapshot-damaged', detail: `Snapshot ${id.slice(0, 8)}: ${error.message}` });
  });
  return { snapshots: snapshots.filter((snapshot) => matchesFilter(snapshot, filter)), damaged };
}

export interface ChosenSnapshots {
  /** Oldest first. */
  readonly snapshots: readonly Snapshot[];
  /** All others that can be read. */
  readonly others: readonly Snapshot[];
  /** How many cannot be read, which are told to the person. */
  readonly damaged: number;
}

/** Those that are named or that the filter lets through. Throws `bad-usage`, `snapshot-not-found`, `snapshot-ambiguous`. */
export async function chosenSnapshots(
  repository: Repository,
  named: readonly string[],
  filter: SnapshotFilter,
  output: Output,
): Promise<ChosenSnapshots> {
  const { all, chosen, damaged } = await chooseSnapshots(repository, choiceOf(named, filter));
  reportDamaged(output, damaged, 'cannot be used');
  const ids = new Set(chosen.map(({ id }) => id));
  return { snapshots: chosen, others: all.filter(({ id }) => !ids.has(id)), damaged: damaged.length };
}

/** A snapshot in a few words. */
export const snapshotTitle = ({ id, hostname, time }: Snapshot): string =>
  `snapshot ${id.slice(0, 8)} of ${hostname ?? 'an unknown computer'}, ${formatTimeText(time)}`;

const isFilter = ({ host, path, tag }: SnapshotFilter): boolean => host !== undefined || path !== undefined || tag !== undefined;

/** What snapshots a verb is about that takes names or a filter; neither means all. Throws `bad-usage` for both. */
export function choiceOf(snapshots: readonly string[], filter: SnapshotFilter): SnapshotChoice {
  if (snapshots.length > 0 && isFilter(filter)) {
    return fail('bad-usage', {
      problem: 'Snapshots cannot be named and chosen by filters at the same time.',
      guidance: 'Name them, or give filters.',
    });
  }
  return snapshots.length > 0 ? { snapshots } : { filter: (snapshot) => matchesFilter(snapshot, filter) };
}

/** Tells of snapshots that cannot be read, so that nobody knows whether they were meant, and what that means for them. */
export function reportDamaged(output: Output, damaged: readonly DamagedSnapshot[], what = 'stays as it is'): void {
  for (const { id, error } of damaged)
    output.problem({ path: undefined, kind: 'snapshot-damaged', detail: `Snapshot ${id.slice(0, 8)} ${what}: ${error.message}` });
}
