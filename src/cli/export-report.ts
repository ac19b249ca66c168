/** What a person is told about an export. */
import type { ExportPlan, ExportResult, PlannedZipEntry } from '../engine/export/export.ts';
import type { ExportProblem } from '../engine/export/problem.ts';
import type { ExportFigures } from '../engine/export/walk-job.ts';
import { isFolderMode, isLinkMode } from '../engine/export/zip-format.ts';
import { displayPath } from '../platform/byte-paths.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { type Output, pathFields } from './output.ts';
import { counted, formatBytes } from '../platform/sizes.ts';

const words: Readonly<Record<ExportProblem['kind'], string>> = {
  damaged: 'is not in the ZIP: the repository lacks data of it',
  unsupported: 'is not in the ZIP',
  metadata: 'is in the ZIP, but not quite as the snapshot says',
};

export const reportExportProblem = (output: Output, { path, kind, detail }: ExportProblem): void =>
  output.problem({ path, kind, detail: `${words[kind]} (${detail})` });

/** A folder's name ends in a slash. */
export const zipEntryLine = ({ name, mode, size }: PlannedZipEntry): string =>
  `${displayPath(name)}${isFolderMode(mode) || isLinkMode(mode) ? '' : ` (${formatBytes(size)})`}`;

/** `path` is in the snapshot, `name` in the ZIP. */
export const zipEntryObject = ({ path, name, mode, size }: PlannedZipEntry): object => ({
  ...pathFields(path),
  name: name.toString(),
  kind: isFolderMode(mode) ? 'dir' : isLinkMode(mode) ? 'symlink' : 'file',
  mode: (mode & 0o7777).toString(8).padStart(4, '0'),
  size,
});

const figuresText = ({ files, folders, links, bytes }: ExportFigures): string =>
  `${counted(files, 'file')}, ${counted(folders, 'folder')}, ${counted(links, 'link')}; ${formatBytes(bytes)}`;

export function reportExportPlan(output: Output, plan: ExportPlan): ExitCode {
  output.endProgress();
  reportLosses(output, plan);
  output.lines(`The ZIP would hold ${figuresText(plan.figures)}. Nothing was written.`);
  const { snapshot, figures, problems } = plan;
  output.object('summary', { dryRun: true, snapshot, ...figures, problems });
  return problems > 0 ? exitCodes.incomplete : exitCodes.done;
}

/** `path`: undefined when standard output took the ZIP, so that nothing else may stand there. */
export function reportExport(output: Output, result: ExportResult, path: string | undefined): ExitCode {
  output.endProgress();
  reportLosses(output, result);
  const { snapshot, figures, problems, zipBytes } = result;
  const text = `Snapshot ${snapshot.slice(0, 8)} is exported${path === undefined ? '' : ` to ${path}`}: ${figuresText(figures)}, as a ZIP of ${formatBytes(zipBytes)}.`;
  if (path === undefined) output.note(text);
  else output.lines(text);
  if (problems > 0) output.note(`${counted(problems, 'item')} could not be exported as they were; see above.`);
  output.object('summary', { snapshot, ...(path === undefined ? {} : { path }), zipBytes, ...figures, problems });
  return problems > 0 ? exitCodes.incomplete : exitCodes.done;
}

/** What every ZIP lacks. */
function reportLosses(output: Output, { figures, problems, damage }: ExportPlan): void {
  // Only where something is missing does it matter why.
  if (problems > 0) for (const error of damage) output.problem({ path: undefined, kind: error.code, detail: error.message });
  const { hardLinked, withAttributes, files, folders, links } = figures;
  if (hardLinked > 0) output.note(`${counted(hardLinked, 'name')} of files with several names: each is a file of its own in the ZIP.`);
  if (withAttributes > 0) output.note(`A ZIP holds no extended attributes and access lists; ${counted(withAttributes, 'item')} had some.`);
  if (files + folders + links === 0 && problems === 0) output.note('Nothing was chosen, so the ZIP is empty.');
}
