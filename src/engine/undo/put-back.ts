/** Brings back what stood at a place, and removes what the restore has made there. */
import { type BigIntStats, chmodSync, lstatSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { baseName, joinPath, parentPath } from '../../platform/byte-paths.ts';
import { nodeType } from '../../repository/tree/node.ts';
import { keptName } from '../restore/beside.ts';
import { moveAside } from '../restore/removal.ts';
import type { UndoArea } from './open-undo.ts';
import type { LeftParts } from './left-parts.ts';
import type { Places } from './places.ts';
import { type EntryRecord, type Former, type ProgressRecord, textOf } from './records.ts';
import type { UndoReport } from './undo-report.ts';

export interface PuttingBack {
  /** Without it nothing is changed. */
  readonly act: boolean;
  readonly places: Places;
  readonly report: UndoReport;
  readonly parts: LeftParts;
  /** The files, by {@link fileId}, that took the place of a further name of another: their properties come with them. */
  readonly back: Set<string>;
  /** For the names of what is kept beside; see beside.ts. */
  readonly stamp: string;
  /** Writes down what cannot be seen any more when the undo is run again. */
  note(record: ProgressRecord): void;
  /** Lets the thread hear others now and then, and throws `cancelled`. */
  breathe(): Promise<void>;
}

/** Tells a file from others, whatever its names are. */
export const fileId = ({ dev, ino }: BigIntStats): string => `${dev} ${ino}`;

/** Throws what the system does, and `cancelled`. */
export async function putBack(record: EntryRecord, area: UndoArea, putting: PuttingBack): Promise<void> {
  const { places, parts } = putting;
  const place = places.pathOf(area.path, record.path);
  const keep = joinPath(area.aside, Buffer.from(record.keep, 'latin1'));
  const former = lstatSync(keep, { bigint: true, throwIfNoEntry: false });
  const state = places.folderOf(area.path, record.path);
  if (state === 'there') parts.enter(parentPath(place));
  const now = state === 'there' ? lstatSync(place, { bigint: true, throwIfNoEntry: false }) : undefined;
  if (!former) {
    await withoutFormer(record, area, place, now, putting);
    return;
  }
  if (state === 'blocked') throw new Error('its folder is no folder any more; what was there before is kept aside');
  await withFormer(record, area, place, now, { keep, former }, putting);
}

async function withFormer(
  record: EntryRecord,
  area: UndoArea,
  place: Buffer,
  now: BigIntStats | undefined,
  { keep, former }: { keep: Buffer; former: BigIntStats },
  putting: PuttingBack,
): Promise<void> {
  const { act, places, report, note, back } = putting;
  report.tell(place, 'put-back');
  if (now && now.nlink > 1n) back.add(fileId(former));
  if (now && now.ino === former.ino && now.dev === former.dev) {
    // It got its second name, and the restore was cut off.
    if (act) unlinkSync(keep);
    return;
  }
  if (now) await clear(record, area, place, now, former, putting);
  else places.remake(area.path, record.path, (folder) => note({ do: 'remade', path: textOf(folder) }));
  if (!act) return;
  // A file takes a file's place without a moment in which none is there.
  if (former.isDirectory()) moveAside(keep, former, place);
  else renameSync(keep, place);
  correctMode(place, record.had);
}

/** Nothing is kept of what was there: either nothing was, or it was never moved, or it is back already. */
async function withoutFormer(
  record: EntryRecord,
  area: UndoArea,
  place: Buffer,
  now: BigIntStats | undefined,
  putting: PuttingBack,
): Promise<void> {
  const { act, report } = putting;
  const { had } = record;
  const isLost = (): void => report.problem(place, 'what was there before is not where it was kept');
  if (!now) {
    if (had) isLost();
    return;
  }
  if (had && isOfType(now, had) && String(now.ino) === had.ino) {
    if (act) correctMode(place, had);
    return;
  }
  const isMade =
    record.do === 'folder'
      ? now.isDirectory() && area.evidence.isNewFolder(now)
      : record.do === 'make' && !now.isDirectory() && area.evidence.isMade(now, record);
  if (had) {
    if (isMade) isLost();
    // Inode numbers are not kept for ever by every file system.
    else if (isOfType(now, had) && Number(now.size) === had.size && String(now.mtimeNs) === had.mtime) return;
    else if (record.do === 'take') isLost();
    else report.keep(place);
    return;
  }
  if (!isMade) {
    report.keep(place);
    return;
  }
  if (record.do === 'folder') {
    await removeMade(area, place, now, putting);
    return;
  }
  report.tell(place, 'remove');
  if (act) unlinkSync(place);
}

/** Makes room for what was at `place`: what the restore has put there goes, what somebody else has gets another name. */
async function clear(
  record: EntryRecord,
  area: UndoArea,
  place: Buffer,
  now: BigIntStats,
  former: BigIntStats,
  putting: PuttingBack,
): Promise<void> {
  if (record.do === 'folder' && now.isDirectory()) {
    if (await removeMade(area, place, now, putting)) return;
  } else if (record.do === 'make' && !now.isDirectory() && area.evidence.isMade(now, record)) {
    if (putting.act && former.isDirectory()) unlinkSync(place);
    return;
  }
  moveBeside(place, putting);
}

/** Removes what the restore has made in a folder of its own. Returns whether all of it is gone. */
async function removeMade(area: UndoArea, place: Buffer, stat: BigIntStats, putting: PuttingBack): Promise<boolean> {
  const { act, places, report, parts } = putting;
  await putting.breathe();
  const isOurs = stat.isDirectory() ? area.evidence.isNewFolder(stat) : area.evidence.isInNewFolder(stat) || parts.isOne(baseName(place));
  if (!isOurs) {
    report.keep(place);
    return false;
  }
  if (stat.isDirectory()) {
    places.open(place, stat);
    let isGone = true;
    for (const name of readdirSync(place, { encoding: 'buffer' }) as Buffer[]) {
      const below = joinPath(place, name);
      const entry = lstatSync(below, { bigint: true, throwIfNoEntry: false });
      if (!entry) continue;
      // What is mounted there is nobody's to remove.
      if (entry.dev !== stat.dev) report.keep(below);
      if (entry.dev !== stat.dev || !(await removeMade(area, below, entry, putting))) isGone = false;
    }
    if (!isGone) return false;
    if (act) rmdirSync(place);
    places.forget();
  } else if (act) unlinkSync(place);
  report.tell(place, 'remove');
  return true;
}

function moveBeside(place: Buffer, { act, report, stamp, note }: PuttingBack): void {
  let other = place;
  for (let attempt = 0; lstatSync(other, { throwIfNoEntry: false }); attempt++)
    other = joinPath(parentPath(place), keptName(baseName(place), stamp, attempt));
  report.keep(place, other);
  note({ do: 'kept', path: textOf(place), other: textOf(other) });
  if (!act) return;
  const stat = lstatSync(place, { bigint: true });
  if (stat.isDirectory()) moveAside(place, stat, other);
  else renameSync(place, other);
}

/** A folder that is closed to its owner was opened to be moved. */
function correctMode(place: Buffer, had: Former | undefined): void {
  if (!had) return;
  const stat = lstatSync(place);
  if (stat.isDirectory() && (stat.mode & 0o7777) !== (had.mode & 0o7777)) chmodSync(place, had.mode & 0o7777);
}

const isOfType = (stat: BigIntStats, { mode }: Former): boolean => nodeType(Number(stat.mode)) === nodeType(mode);
