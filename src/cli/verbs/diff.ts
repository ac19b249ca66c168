/** diff: what differs between two snapshots. */
import { fail } from '../../contract/errors.ts';
import type { Change } from '../../engine/diff/change.ts';
import { compareSnapshots, type DiffResult, type DiffSide } from '../../engine/diff/diff.ts';
import type { EntryTally } from '../../engine/diff/figures.ts';
import type { Entry } from '../../engine/entry.ts';
import { nameBytes } from '../../engine/backup/name-text.ts';
import type { SnapshotPlace } from '../../engine/snapshot-path.ts';
import { displayPath } from '../../platform/byte-paths.ts';
import type { Repository } from '../../repository/repository.ts';
import { parsePlace } from '../arguments.ts';
import { entryObject, kindWord, shortLine } from '../entry-line.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type Output, pathFields } from '../output.ts';
import { reportDamagedTrees, reportUnknownBlobs } from '../reading-report.ts';
import { cancelledReading } from '../run-verb.ts';
import { withRepository } from '../session.ts';
import { counted, formatBytes } from '../../platform/sizes.ts';
import { snapshotTitle } from '../snapshot-filter.ts';
import type { Verbs } from '../verbs.ts';

interface DiffOptions {
  readonly path?: string;
  readonly metadata?: boolean;
  readonly moves: boolean;
  readonly quick?: boolean;
}

export function addDiff({ program, run }: Verbs): void {
  program
    .command('diff')
    .description('show what differs between two snapshots')
    .argument('<snapshot[:path]>', 'the first one: an ID, the beginning of one or "latest"; with a path only that folder')
    .argument('<snapshot[:path]>', 'the second one')
    .option('--path <folder>', 'compare only this folder of both')
    .option('--metadata', 'also show entries of which only times, permissions and the like changed')
    .option('--no-moves', 'show what moved as removed and added')
    .option('--quick', 'do not find out how much data only one of them needs, which takes reading what is the same in both')
    .addHelpText(
      'after',
      `
Each line begins with what became of the entry:
  +  added                        U  only its metadata changed (with --metadata)
  -  removed                      T  it became something else: a file became a folder, …
  M  the content changed          R  it moved, or got another name; of a folder that moved nothing else is shown
  M? the content changed and nothing else did, not even a time: somebody set it back, or the disk is failing

Examples:
  holdfast --repo /media/disk/backup diff 1a2b3c4d latest
  holdfast --repo /media/disk/backup diff 1a2b3c4d latest --path /home/me/Documents --metadata
  holdfast --repo /media/disk/backup diff latest:/home/me/photos latest:/mnt/photos`,
    )
    .action((first: string, second: string, options: DiffOptions, command) =>
      run(command, cancelledReading, async (invocation) => {
        const { output } = invocation;
        const places = [first, second].map((text) => withPath(parsePlace(text), options.path));
        return withRepository(invocation, async (repository) => {
          const [a, b] = [await sideOf(repository, places[0]), await sideOf(repository, places[1])];
          output.lines(`From ${titleOf(a)}`, `  to ${titleOf(b)}`, '');
          const result = await compareSnapshots(
            repository,
            { first: a, second: b, metadata: options.metadata, moves: options.moves, blobs: !options.quick },
            invocation.options,
            (changes) => (output.json ? output.objects('change', changes.map(changeObject)) : output.list(changes.map(changeLine))),
          );
          return report(output, a, b, result);
        });
      }),
    );
}

function withPath(place: SnapshotPlace, path: string | undefined): SnapshotPlace {
  if (path === undefined) return place;
  if (place.path === undefined) return { ...place, path: nameBytes(path) };
  return fail('bad-usage', {
    problem: 'A path stands both behind a snapshot and in --path.',
    guidance: 'Leave out --path, or the colon and the path behind the snapshots.',
  });
}

const sideOf = async (repository: Repository, { snapshot, path }: SnapshotPlace): Promise<DiffSide> => ({
  snapshot: await repository.findSnapshot(snapshot),
  path,
});

const titleOf = ({ snapshot, path }: DiffSide): string => snapshotTitle(snapshot) + (path === undefined ? '' : `: ${displayPath(path)}`);

/** As restic writes it, and `R` for what moved. */
function modifierOf({ kind, metadata, isSuspicious }: Change): string {
  switch (kind) {
    case 'added':
      return '+';
    case 'removed':
      return '-';
    case 'content':
      return isSuspicious ? 'M?' : 'M';
    case 'metadata':
      return 'U';
    case 'type':
      return metadata.length > 0 ? 'TU' : 'T';
    case 'moved':
      return 'R';
  }
}

function changeLine(change: Change): string {
  const { kind, from, before, after } = change;
  const modifier = (kind === 'type' ? 'T' : modifierOf(change)).padEnd(3);
  const entry = (after ?? before)!;
  if (kind === 'moved') return `${modifier}${displayPath(from!)}${entry.type === 'dir' ? '/' : ''} → ${shortLine(entry)}`;
  const detail = detailOf(change);
  return `${modifier}${shortLine(entry)}${detail === '' ? '' : `  (${detail})`}`;
}

function detailOf({ kind, before, after, metadata }: Change): string {
  const sizes = [before, after].filter((entry) => entry?.type === 'file').map((entry) => formatBytes(entry!.size));
  if (kind === 'metadata') return metadata.join(', ');
  if (kind === 'type') return `${kindWord(before!.type)} → ${kindWord(after!.type)}`;
  return sizes.join(' → ');
}

function changeObject(change: Change): object {
  const { kind, path, from, before, after, metadata } = change;
  const fromFields = from && pathFields(from);
  return {
    modifier: modifierOf(change),
    change: kind,
    ...pathFields(path),
    ...(fromFields ? { from: fromFields.path, ...(fromFields.pathBytes === undefined ? {} : { fromBytes: fromFields.pathBytes }) } : {}),
    ...(before ? { before: factsObject(before) } : {}),
    ...(after ? { after: factsObject(after) } : {}),
    ...(metadata.length > 0 ? { metadata } : {}),
  };
}

function factsObject(entry: Entry): object {
  const { path: _, pathBytes: __, ...facts } = entryObject(entry) as Record<string, unknown>;
  return facts;
}

function report(output: Output, first: DiffSide, second: DiffSide, result: DiffResult): ExitCode {
  output.endProgress();
  const { entries, blobs, unknownBlobs, problems, damagedTrees, damage } = result;
  for (const { path, error } of problems) output.problem({ path, kind: error.code, detail: error.message });
  reportDamagedTrees(output, damagedTrees);
  reportUnknownBlobs(output, unknownBlobs);
  const isIncomplete = problems.length + damagedTrees.length + unknownBlobs > 0;
  if (isIncomplete) for (const error of damage) output.problem({ path: undefined, kind: error.code, detail: error.message });
  const { added, removed, moved, content, retyped, metadataOnly } = entries;
  output.lines(
    '',
    `Added:    ${tallyText(added)}`,
    `Removed:  ${tallyText(removed)}`,
    `Moved:    ${tallyText(moved)}`,
    `Changed:  ${counted(content.files, 'file')}, ${formatBytes(content.bytesBefore)} → ${formatBytes(content.bytesAfter)}${
      retyped > 0 ? `; ${counted(retyped, 'entry', 'entries')} became something else` : ''
    }`,
    `Metadata: ${counted(metadataOnly, 'entry', 'entries')} changed in nothing else`,
  );
  if (blobs) {
    for (const [name, { dataBlobs, treeBlobs, bytes, packedBytes }] of [
      ['first', blobs.first],
      ['second', blobs.second],
    ] as const)
      output.lines(
        `Only the ${name.padEnd(6)} needs ${counted(dataBlobs + treeBlobs, 'blob')}: ${formatBytes(bytes)}, stored as ${formatBytes(packedBytes)}`,
      );
  }
  output.object('summary', {
    first: first.snapshot.id,
    second: second.snapshot.id,
    ...entries,
    ...(blobs ? { blobs } : {}),
    unreadableFolders: problems.length + damagedTrees.length,
    unknownBlobs,
  });
  return isIncomplete ? exitCodes.incomplete : exitCodes.done;
}

const tallyText = ({ files, folders, others, bytes }: EntryTally): string =>
  `${counted(files, 'file')}, ${counted(folders, 'folder')}, ${counted(others, 'other')}; ${formatBytes(bytes)}`;
