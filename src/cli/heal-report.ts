/** What a person is told about a healing. */
import { type HealReport, isAllHealed, wasWhole } from '../engine/heal/request.ts';
import { counted, formatBytes } from '../platform/sizes.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import type { Output } from './output.ts';

const short = (id: string): string => id.slice(0, 8);
const whatOf = (type: 'data' | 'tree'): string => (type === 'tree' ? 'folder listing' : 'piece of data');

/** Files that are named for each other that follows. */
const namedFiles = 20;

/** Tells what was healed, or would be; returns the exit code that it means. */
export function reportHealing(output: Output, report: HealReport, isDryRun: boolean): ExitCode {
  output.endProgress();
  const { indexFiles, indexPacks, packs, unread, from, healed, moreHealed, unhealed, moreUnhealed, snapshots, unavailable } = report;
  const { notRemoved, kept, storedBytes } = report;
  for (const { name, error } of unavailable)
    output.problem({ path: undefined, kind: error.code, detail: `${name} could not be asked: ${error.message}` });
  if (indexFiles + indexPacks > 0)
    output.lines(`index    ${counted(indexFiles, 'damaged file')}, ${counted(indexPacks, 'wrong entry', 'wrong entries')}`);
  for (const { pack, cause, intact, unreadable } of packs)
    output.lines(
      `damaged  pack ${short(pack)} (${cause}); ${counted(intact, 'piece')} of it intact${unreadable ? '; its file stays' : ''}`,
    );
  for (const { pack, cause } of unread)
    output.problem({ path: undefined, kind: 'pack-unread', detail: `Pack ${short(pack)} cannot be read just now: ${cause}.` });
  for (const { type, ...each } of healed) output.object('healed', { blobType: type, ...each });
  const files = [...new Set(healed.flatMap(({ paths }) => paths))];
  for (const path of files.slice(0, namedFiles)) output.lines(`healed   ${path}`);
  if (files.length > namedFiles || moreHealed > 0) output.lines('healed   … and more');
  for (const each of snapshots) {
    output.object('snapshot', each);
    if (each.isHealed) output.lines(`healed   snapshot ${short(each.id)}, from ${each.from ?? 'elsewhere'}`);
    else {
      const why = each.from === undefined ? 'no other repository that could be asked holds it' : 'not all that it needs is to be had';
      output.problem({ path: undefined, kind: 'snapshot-damaged', detail: `Snapshot ${short(each.id)} cannot be healed: ${why}.` });
    }
  }
  for (const { type, blob, paths } of unhealed) {
    output.object('unhealed', { blobType: type, blob, paths });
    const harms = paths.length > 0 ? `; it harms ${paths.join(', ')}` : '';
    output.problem({ path: undefined, kind: 'blob-missing', detail: `The ${whatOf(type)} ${short(blob)} is nowhere to be had${harms}.` });
  }
  if (moreUnhealed > 0)
    output.problem({ path: undefined, kind: 'blob-missing', detail: `${counted(moreUnhealed, 'more piece')} are nowhere to be had.` });
  for (const { name, kind, blobs, bytes } of from)
    output.lines(
      `${counted(blobs, 'piece')} (${formatBytes(bytes)}) ${isDryRun ? 'would come' : 'came'} from ${kind === 'files' ? name : `“${name}”`}.`,
    );
  for (const path of kept) output.lines(`A copy of the damaged file is kept as ${path}.`);
  if (notRemoved > 0)
    output.note(
      `Nothing can be removed there, so ${counted(notRemoved, 'damaged file')} or what names them stay beside what is whole again.`,
    );
  output.object('summary', {
    dryRun: isDryRun,
    healed: healed.length + moreHealed,
    unhealed: unhealed.length + moreUnhealed,
    snapshotsHealed: snapshots.filter(({ isHealed }) => isHealed).length,
    snapshotsUnhealed: snapshots.filter(({ isHealed }) => !isHealed).length,
    packs: packs.length,
    indexFiles,
    indexPacks,
    from,
    unavailable: unavailable.map(({ name }) => name),
    notRemoved,
    kept,
    storedBytes,
  });
  output.lines(sumUp(report, isDryRun));
  return isAllHealed(report) ? exitCodes.done : exitCodes.incomplete;
}

function sumUp(report: HealReport, isDryRun: boolean): string {
  if (wasWhole(report)) return 'Nothing is damaged.';
  if (!isAllHealed(report)) return 'What is named above is lost here; everything else can be restored.';
  return isDryRun ? 'Everything can be healed. Nothing was changed.' : 'Everything is whole again.';
}
