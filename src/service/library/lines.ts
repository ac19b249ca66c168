/** Puts the snapshots of all destinations together: copies of one snapshot are one line. */
import type { Plan } from '../../contract/plan.ts';
import { strategies } from '../../contract/schedule.ts';
import type { SnapshotView } from '../../contract/snapshots.ts';
import { originalOf } from '../../engine/copy/copies.ts';
import { ownKind } from '../../engine/own-tags.ts';
import type { HostIdentity } from '../../platform/host.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import { copyFolderName } from '../settings-copy/copy.ts';
import type { Holding } from './holdings.ts';
import type { Notes } from './notes.ts';

export interface Line {
  readonly key: string;
  readonly holders: { readonly destination: string; readonly polynomial: string; readonly snapshot: Snapshot }[];
}

/**
 * Newest first. Snapshots with one original are copies of each other when they have the same tree, or are in repositories that cut files
 * otherwise, so that trees of the same content differ; one repository has a snapshot only once (beside one that was rewritten).
 */
export function linesOf(holdings: readonly Holding[]): Line[] {
  const byOriginal = new Map<string, Line[]>();
  for (const { destination, snapshots } of holdings) {
    const { id, polynomial } = destination;
    // What was rewritten stands behind the one that it was made of.
    const sorted = snapshots.toSorted((a, b) => Number(a.original !== undefined) - Number(b.original !== undefined));
    for (const snapshot of sorted) {
      const original = originalOf(snapshot);
      const lines = byOriginal.get(original) ?? [];
      byOriginal.set(original, lines);
      const line = lines.find(
        ({ holders }) =>
          !holders.some((holder) => holder.destination === id) &&
          (holders.some((holder) => holder.snapshot.tree === snapshot.tree) || holders.every((holder) => holder.polynomial !== polynomial)),
      );
      const holder = { destination: id, polynomial, snapshot };
      if (line) line.holders.push(holder);
      else lines.push({ key: lines.length === 0 ? original : snapshot.id, holders: [holder] });
    }
  }
  return [...byOriginal.values()].flat().sort((a, b) => timeOf(b) - timeOf(a) || (a.key < b.key ? -1 : 1));
}

export const timeOf = ({ holders }: Line): number => Date.parse(holders[0]!.snapshot.time);

/** The plan whose snapshots are marked so. */
export const planOf = ({ tags = [] }: Snapshot): string | null =>
  tags
    .find((tag) => ownKind(tag) === 2)
    ?.split('=')
    .at(1) ?? null;

export function viewOf(line: Line, plans: readonly Plan[], identity: HostIdentity, notes: Notes): SnapshotView {
  const { snapshot } = line.holders[0]!;
  const { tags = [], paths, hostname = '', username = '', summary, program_version: program = '' } = snapshot;
  const plan = planOf(snapshot);
  return {
    key: line.key,
    time: timeOf(line),
    plan,
    planName: plans.find(({ id }) => id === plan)?.name ?? null,
    hostname,
    username,
    isOwn: hostname === identity.hostname && username === identity.username,
    paths: paths.filter((path) => path.split(/[\\/]/).at(-1) !== copyFolderName),
    strategy: strategies.find((strategy) => tags.includes(`strategy=${strategy}`)) ?? null,
    tags: tags.filter((tag) => ownKind(tag) < 0),
    figures: summary
      ? {
          files: summary.total_files_processed,
          bytes: summary.total_bytes_processed,
          filesNew: summary.files_new,
          filesChanged: summary.files_changed,
          bytesAdded: summary.data_added,
          bytesStored: summary.data_added_packed,
        }
      : null,
    program,
    ...notes.of(snapshot),
    holders: line.holders.map((holder) => ({
      destination: holder.destination,
      snapshot: holder.snapshot.id,
      tree: holder.snapshot.tree,
    })),
  };
}
