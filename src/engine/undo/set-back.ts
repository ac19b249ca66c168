/** Sets the properties of what was there before, and still is, to what they were. */
import { type BigIntStats, lstatSync } from 'node:fs';
import { goMode, nodeType } from '../../repository/tree/node.ts';
import { applyMetadata, type Described, hasMetadata } from '../restore/metadata.ts';
import type { UndoArea } from './open-undo.ts';
import type { Places } from './places.ts';
import { fileId } from './put-back.ts';
import { type FactsRecord, textOf } from './records.ts';
import type { UndoReport } from './undo-report.ts';

/** Whether the properties are those of a folder, which are set when nothing more is put into it. */
export const isOfFolder = ({ mode }: FactsRecord): boolean => nodeType(mode) === 'dir';

export interface SettingBack {
  readonly act: boolean;
  readonly places: Places;
  readonly report: UndoReport;
  /** Folders that the undo has made again. */
  readonly remade: ReadonlySet<string>;
  /** See {@link PuttingBack}. */
  readonly back: ReadonlySet<string>;
  /** The properties that each file would have by now, by its {@link fileId}: a plan does not set what further names of it show. */
  readonly planned: Map<string, string>;
}

/** Throws what the system does. */
export function setBack(
  record: FactsRecord,
  { path, evidence }: UndoArea,
  { act, places, report, remade, back, planned }: SettingBack,
): void {
  const place = places.pathOf(path, record.path);
  if (places.folderOf(path, record.path) !== 'there') return;
  const now = lstatSync(place, { bigint: true, throwIfNoEntry: false });
  // Whoever has removed or replaced it since wanted that.
  if (!now || (String(now.ino) !== record.ino && !remade.has(textOf(place)))) return;
  if (nodeType(Number(now.mode)) !== nodeType(record.mode)) return;
  const facts = describedBy(record);
  if (hasMetadata(place, facts, now)) return;
  if (!act && !isOfFolder(record)) {
    const [file, properties] = [
      `${now.dev} ${now.ino}`,
      JSON.stringify([record.mode, record.uid, record.gid, record.mtime, record.xattrs]),
    ];
    if (planned.get(file) === properties) return;
    planned.set(file, properties);
  }
  if (isOfFolder(record)) {
    // Its time changes with whatever is put back into it.
    if (!hasMetadata(place, { ...facts, mtimeNs: now.mtimeNs }, now)) report.tell(place, 'set');
  } else if (evidence.isUntouched(now, [record.mtime, record.after ?? record.mtime])) {
    if (!back.has(fileId(now))) report.tell(place, 'set');
  } else {
    report.keep(place);
    return;
  }
  if (act) describe(place, facts, now, report);
  if (isOfFolder(record)) places.settle(place);
}

function describe(place: Buffer, facts: Described, now: BigIntStats, report: UndoReport): void {
  for (const detail of applyMetadata(place, facts, now)) report.problem(place, detail, 'metadata');
}

const describedBy = ({ mode, uid, gid, atime, mtime, xattrs }: FactsRecord): Described => ({
  type: nodeType(mode),
  mode: goMode(mode),
  uid,
  gid,
  atimeNs: BigInt(atime),
  mtimeNs: BigInt(mtime),
  xattrs: xattrs.map(([name, value]) => ({ name: Buffer.from(name, 'base64'), value: Buffer.from(value, 'base64') })),
});
