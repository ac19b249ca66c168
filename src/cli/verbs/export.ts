/** export: writes what a snapshot holds as a ZIP file. */
import { fail } from '../../contract/errors.ts';
import { compileExcludes } from '../../engine/backup/exclude.ts';
import { nameBytes } from '../../engine/backup/name-text.ts';
import { parsePattern } from '../../engine/backup/patterns.ts';
import { executeExport, type ExportOptions, type ExportRequest, planExport } from '../../engine/export/export.ts';
import { checkOutputFile, writeOutputFile } from '../../engine/export/output-file.ts';
import type { ZipSink } from '../../engine/export/zip-stream.ts';
import { displayPath } from '../../platform/byte-paths.ts';
import { collect, parsePlace } from '../arguments.ts';
import { reportExport, reportExportPlan, reportExportProblem, zipEntryLine, zipEntryObject } from '../export-report.ts';
import type { Output } from '../output.ts';
import type { Invocation } from '../run-verb.ts';
import { withRepository } from '../session.ts';
import { ReaderGone } from '../sink.ts';
import type { Verbs } from '../verbs.ts';

interface ExportVerbOptions {
  readonly output?: string;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly stored?: boolean;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

/** As --output: the ZIP goes to standard output. */
const standardOutput = '-';

export function addExport({ program, run }: Verbs): void {
  program
    .command('export')
    .description('write a snapshot, or a part of it, as a ZIP file')
    .argument('<snapshot[:path]>', 'an ID, the beginning of one or "latest"; with a path only what is there')
    .argument('[item...]', 'only these files and folders: paths below PATH, or full paths in the snapshot')
    .option('-o, --output <file>', 'the ZIP file to make; - is standard output')
    .option('--include <pattern>', 'only what matches (may be repeated: any of them)', collect)
    .option('--exclude <pattern>', 'leave out what matches (may be repeated)', collect)
    .option('--stored', 'compress nothing: faster, for what is compressed already')
    .option('--force', 'replace the file if it is there already')
    .option('-n, --dry-run', 'list what would be in the ZIP, and write nothing')
    .addHelpText(
      'after',
      `
With a path, what that folder holds stands at the top of the ZIP; without one full paths stand there. Patterns are those of
"holdfast backup", anchored at that folder.

The ZIP holds folders, files and symbolic links with their modes, owners and times. What it cannot hold is named or counted:
devices and FIFOs are left out, extended attributes and access lists too, and each name of a file with several becomes a file of
its own. In a name with bytes that are not UTF-8, a backslash, or what could lead out of the folder it is unpacked in, such bytes
and every % are written as % and two hexadecimal digits; each is named.

Every byte is verified before it is written. A damaged file is left out and named, and the exit code is 3.

Examples:
  holdfast --repo /media/disk/backup export latest:/home/me/Documents --output documents.zip
  holdfast --repo /media/disk/backup export latest:/home/me Documents/letters Pictures/cat.jpg -o some.zip
  holdfast --repo /media/disk/backup export 1a2b3c:/home/me --include "*.jpg" --stored -o - | ssh host "cat > pictures.zip"`,
    )
    .action((place: string, items: string[], options: ExportVerbOptions, command) =>
      run(command, { whenCancelled: 'Cancelled. No ZIP file was made.' }, async (invocation) => {
        const { output } = invocation;
        const request = requestOf(place, items, options);
        const settings = settingsOf(invocation);
        if (options.dryRun) {
          return withRepository(invocation, async (repository) => {
            const plan = await planExport(repository, request, settings, (entries) =>
              output.json ? output.objects('entry', entries.map(zipEntryObject)) : output.list(entries.map(zipEntryLine)),
            );
            return reportExportPlan(output, plan);
          });
        }
        const path = await destinationOf(options, output);
        return withRepository(invocation, async (repository) => {
          const write = (sink: ZipSink) => executeExport(repository, request, settings, sink);
          const result =
            path === standardOutput
              ? await write(standardSink(output))
              : await writeOutputFile(repository, { path, replace: options.force === true }, write);
          return reportExport(output, result, path === standardOutput ? undefined : path);
        });
      }),
    );
}

function requestOf(place: string, items: readonly string[], { include, exclude, stored }: ExportVerbOptions): ExportRequest {
  for (const text of include ?? []) {
    const fault = parsePattern(text, false);
    if (typeof fault === 'string')
      return fail('bad-usage', {
        problem: `--include: the pattern “${text}” can never match (${fault}).`,
        guidance: 'Correct the pattern; put a backslash before a character that is meant literally.',
      });
  }
  return {
    ...parsePlace(place),
    items: items.length === 0 ? undefined : items.map(nameBytes),
    include: include && compileExcludes({ patterns: include.map(nameBytes) }),
    exclude: exclude && compileExcludes({ patterns: exclude.map(nameBytes) }),
    stored,
  };
}

const settingsOf = ({ output, options }: Invocation): ExportOptions => ({
  ...options,
  onProblem: (problem) => reportExportProblem(output, problem),
  onRenamed: (path, name) => output.note(`${displayPath(path)} is called ${displayPath(name)} in the ZIP.`),
});

/** Throws `bad-usage`, and what makes the file impossible. */
async function destinationOf({ output: path, force }: ExportVerbOptions, output: Output): Promise<string> {
  if (path === undefined || path === '')
    return fail('bad-usage', {
      problem: 'It is not said which file to write.',
      guidance: 'Name it with --output FILE.zip; - is standard output.',
    });
  if (path !== standardOutput) await checkOutputFile({ path, replace: force === true });
  else if (output.json)
    return fail('bad-usage', {
      problem: 'Standard output cannot take the ZIP and JSON.',
      guidance: 'Name a file with --output, or leave --json out.',
    });
  else if (output.stdout.isTerminal)
    return fail('bad-usage', { problem: 'A terminal cannot show a ZIP.', guidance: 'Name a file with --output, or use a pipe.' });
  return path;
}

/** Half a ZIP is of no use to anybody: that the reader has gone is a failure here. */
const standardSink = (output: Output): ZipSink => ({
  async write(bytes) {
    try {
      await output.stdout.send(bytes);
    } catch (error) {
      if (error instanceof ReaderGone) fail('output-failed', { cause: 'the program that reads it has ended' }, error);
      throw error;
    }
  },
});
