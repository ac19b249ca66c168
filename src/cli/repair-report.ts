/** What a person is told about repairs. */
import { displayPath, joinPath } from '../platform/byte-paths.ts';
import type { PackChange, RepairIndexPlan } from '../engine/repair/index-plan.ts';
import { isIndexWhole } from '../engine/repair/index-plan.ts';
import type { RepairPacksPlan } from '../engine/repair/packs-plan.ts';
import type { RepairSnapshotsPlan, SnapshotRepair } from '../engine/repair/snapshots-plan.ts';
import type { RecoverPlan } from '../engine/recover.ts';
import { formatTimeText } from './dates.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { type Output, pathFields } from './output.ts';
import { counted, formatBytes } from '../platform/sizes.ts';

const short = (id: string): string => id.slice(0, 8);

function changeText({ pack, action, blobs, dropped, cause }: PackChange): string {
  const name = `pack ${short(pack)}`;
  const why = cause === undefined ? '' : ` (${cause})`;
  const gone = dropped === 0 ? '' : `, ${counted(dropped, 'blob')} that the index lists ${dropped === 1 ? 'is' : 'are'} not in it`;
  switch (action) {
    case 'add':
      return `add      ${name}: ${counted(blobs, 'blob')} that no index lists${why}`;
    case 'correct':
      return `correct  ${name}: it holds ${counted(blobs, 'blob')}${gone}${why}`;
    case 'drop':
      return `drop     ${name}: ${counted(dropped, 'blob')}${why}`;
    case 'keep':
      return `Pack ${short(pack)} is damaged${why}, but all that the index says of it is there. "repair packs" makes it whole.`;
    case 'leave':
      return `Pack ${short(pack)} is left as it is${why}: nothing of it can be read now.`;
  }
}

/** Tells what a repair of the index does, or would; returns the exit code that it means. */
export function reportIndexPlan(output: Output, plan: RepairIndexPlan): ExitCode {
  output.endProgress();
  let incomplete = false;
  for (const { name, cause, stays } of plan.damagedIndexFiles) {
    if (stays) output.problem({ path: undefined, kind: 'index-damaged', detail: `Index file ${short(name)} is left in place: ${cause}.` });
    else output.lines(`replace  index file ${short(name)}: ${cause}`);
    if (!stays) output.object('repair', { action: 'replace', index: name, cause });
    incomplete ||= stays;
  }
  for (const change of plan.changes) {
    const { action, dropped } = change;
    const isProblem = action === 'keep' || action === 'leave';
    if (isProblem) output.problem({ path: undefined, kind: 'pack-damaged', detail: changeText(change) });
    else output.lines(changeText(change));
    output.object('repair', change);
    incomplete ||= isProblem || dropped > 0;
  }
  if (isIndexWhole(plan) && !incomplete) output.lines(`The index says what the ${counted(plan.packs, 'pack')} hold.`);
  if (plan.changes.some(({ dropped }) => dropped > 0)) output.lines('"check" tells whether a snapshot lacks what was dropped.');
  return incomplete ? exitCodes.incomplete : exitCodes.done;
}

/** The figures of a plan for programs. */
export function indexPlanFields({ indexFiles, damagedIndexFiles, packs, packsRead, changes }: RepairIndexPlan): object {
  const count = (action: PackChange['action']): number => changes.filter((change) => change.action === action).length;
  return {
    indexFiles,
    damagedIndexFiles: damagedIndexFiles.length,
    packs,
    packsRead,
    added: count('add'),
    corrected: count('correct'),
    dropped: count('drop'),
    kept: count('keep'),
    left: count('leave'),
    blobsDropped: changes.reduce((sum, { dropped }) => sum + dropped, 0),
  };
}

/** Tells what a repair of packs does, or would; returns the exit code that it means. */
export function reportPacksPlan(output: Output, plan: RepairPacksPlan): ExitCode {
  output.endProgress();
  for (const repair of plan.repairs) {
    const { pack, size, cause, intact, copied, copiedBytes, lost, unreadable } = repair;
    output.lines(
      `Pack ${short(pack)} (${formatBytes(size)}): ${cause}.`,
      `  ${counted(intact, 'blob')} can be had, ${copied} of them (${formatBytes(copiedBytes)}) only from here; ${counted(lost, 'blob')} lost.`,
    );
    if (unreadable) output.note(`Pack ${short(pack)} stays in the repository, since a part of it cannot be read now.`);
    output.object('repair', { action: 'salvage', ...repair });
  }
  for (const pack of plan.whole) output.note(`Pack ${short(pack)} is as it should be.`);
  for (const pack of plan.misdescribed)
    output.note(`Pack ${short(pack)} is whole, but the index says otherwise: "repair index --read-all-packs" mends that.`);
  for (const pack of plan.missing) output.note(`There is no pack ${short(pack)}; perhaps an earlier repair has removed it.`);
  for (const { pack, cause } of plan.unread)
    output.problem({
      path: undefined,
      kind: 'pack-unreadable',
      detail: `Pack ${short(pack)} is left alone, since it cannot be read now: ${cause}.`,
    });
  for (const { type, blob, paths } of plan.lost) {
    const what = type === 'tree' ? 'Folder listing' : 'Piece of data';
    const harm = paths.length === 0 ? 'nothing that can be named needs it' : `it harms ${paths.join(', ')}`;
    output.problem({ path: undefined, kind: 'blob-lost', detail: `${what} ${short(blob)} is lost: ${harm}.` });
  }
  if (plan.moreLost > 0)
    output.problem({ path: undefined, kind: 'blob-lost', detail: `${counted(plan.moreLost, 'further blob')} lost, which "check" names.` });
  for (const { name, error } of plan.indexProblems)
    output.problem({ path: undefined, kind: error.code, detail: `Index file ${short(name)}: ${error.message}` });
  if (plan.repairs.length === 0) output.lines(`${counted(plan.examined, 'pack')} read; there is nothing to repair.`);
  const { misdescribed, unread, lost, indexProblems } = plan;
  const incomplete =
    misdescribed.length + unread.length + lost.length + indexProblems.length > 0 || plan.repairs.some(({ unreadable }) => unreadable);
  return incomplete ? exitCodes.incomplete : exitCodes.done;
}

/** The figures of a plan for programs. */
export const packsPlanFields = ({ examined, repairs, whole, misdescribed, missing, unread, lost, moreLost }: RepairPacksPlan): object => ({
  examined,
  repaired: repairs.length,
  whole: whole.length,
  misdescribed: misdescribed.length,
  missing: missing.length,
  unread: unread.length,
  copied: repairs.reduce((sum, { copied }) => sum + copied, 0),
  copiedBytes: repairs.reduce((sum, { copiedBytes }) => sum + copiedBytes, 0),
  lost: lost.length + moreLost,
});

function repairText({ snapshot, action, by, remove }: SnapshotRepair): string {
  const name = `Snapshot ${short(snapshot.id)} of ${formatTimeText(snapshot.time)}`;
  const then = remove ? ', and is removed' : '';
  if (action === 'hopeless') return `${name}: not even its root can be read${remove ? ', so it is removed' : '; --forget removes it'}.`;
  if (action === 'replaced') return `${name} was repaired before, as ${short(by!)}${then}.`;
  return `${name} is stored anew without what is lost${then}:`;
}

/** Tells what a repair of snapshots does, or would; returns the exit code that it means. */
export function reportSnapshotsPlan(output: Output, plan: RepairSnapshotsPlan): ExitCode {
  output.endProgress();
  let incomplete = plan.damaged.length > 0;
  for (const repair of plan.repairs) {
    const { snapshot, action, tree, by, remove, losses, more } = repair;
    output.lines(repairText(repair));
    output.object('repair', { action, snapshot: snapshot.id, tree, by, remove, losses: losses.length, more });
    for (const { kind, path, detail } of losses)
      output.problem({
        path,
        kind,
        detail: `${kind === 'folder' ? 'what is in it is lost: ' : ''}${detail} (snapshot ${short(snapshot.id)})`,
      });
    if (more) output.problem({ path: undefined, kind: 'more', detail: `More is lost in snapshot ${short(snapshot.id)} than is listed.` });
    incomplete ||= more || losses.some(({ kind }) => kind !== 'size');
  }
  for (const { id, error, remove } of plan.damaged) {
    const what = remove
      ? 'It is removed.'
      : 'It stays. What belonged to it may be found by "recover"; then name it with --forget to remove it.';
    output.problem({ path: undefined, kind: 'snapshot-damaged', detail: `Snapshot ${short(id)}: ${error.message} ${what}` });
  }
  if (plan.repairs.some(({ losses }) => losses.some(({ kind }) => kind === 'folder')))
    output.note('What lay below a lost folder listing may still be stored: "recover" finds it, as long as nothing was pruned.');
  if (plan.repairs.length === 0)
    output.lines(`${counted(plan.snapshots, 'snapshot')} looked at; ${plan.snapshots === 1 ? 'it lacks' : 'they lack'} nothing.`);
  return incomplete ? exitCodes.incomplete : exitCodes.done;
}

/** The figures of a plan for programs. */
export const snapshotsPlanFields = ({ snapshots, repairs, emptyListings, damaged }: RepairSnapshotsPlan): object => ({
  snapshots,
  emptyListings,
  repairs: repairs.length,
  losses: repairs.reduce((sum, { losses }) => sum + losses.length, 0),
  damaged: damaged.length,
});

/** Tells what a recovery makes, or would; returns the exit code that it means. */
export function reportRecoverPlan(output: Output, plan: RecoverPlan): ExitCode {
  output.endProgress();
  for (const { tree, name, entries, names } of plan.folders) {
    const some = names.map((each) => displayPath(each)).join(', ');
    output.lines(
      entries === undefined
        ? name
        : `${name}  ${counted(entries, 'entry', 'entries')}${some === '' ? '' : `: ${some}${entries > names.length ? ', …' : ''}`}`,
    );
    output.object('repair', { action: 'recover', tree, ...pathFields(joinPath(Buffer.from('/'), Buffer.from(name))), entries });
  }
  for (const id of plan.damagedSnapshots)
    output.problem({
      path: undefined,
      kind: 'snapshot-damaged',
      detail: `Snapshot ${short(id)} cannot be read; what belonged to it is recovered.`,
    });
  for (const id of plan.unreadable)
    output.problem({
      path: undefined,
      kind: 'tree-damaged',
      detail: `Folder listing ${short(id)} cannot be read, so it is not recovered.`,
    });
  if (plan.missing > 0)
    output.problem({
      path: undefined,
      kind: 'blob-missing',
      detail: `Something that the recovered folders name is not there (${counted(plan.missing, 'time')}): "repair snapshots" makes the new snapshot do without.`,
    });
  if (plan.folders.length === 0) output.lines('Nothing is orphaned: every folder that is stored belongs to a snapshot.');
  return plan.damagedSnapshots.length + plan.unreadable.length + plan.missing > 0 ? exitCodes.incomplete : exitCodes.done;
}
