/**
 * An export in a process of its own, as small as the command line's, for tests of memory.
 *
 *     node export-process.ts REPOSITORY FILE
 *
 * Prints `begun` when the first progress comes, and at the end one line of JSON: {@link ExportReport}.
 */
import { executeExport } from '../../src/engine/export/export.ts';
import { writeOutputFile } from '../../src/engine/export/output-file.ts';
import { favourSmallMemory } from '../../src/platform/memory.ts';
import { openRepository, runOptions } from './engine.ts';
import { peakMemoryMb } from './peak-memory.ts';
import { exitAtOnce } from '../../src/platform/exit.ts';

export interface ExportReport {
  readonly figures: Record<string, number>;
  readonly problems: number;
  readonly zipBytes: number;
  /** The most memory that the process had at any time, in MB. */
  readonly maxMB: number;
  readonly seconds: number;
}

favourSmallMemory();
const [folder = '', path = ''] = process.argv.slice(2);
const repository = await openRepository(folder);
const options = runOptions();
const begun = options.clock.monotonic();
let said = false;
const onProgress = (): void => {
  if (!said) console.log('begun');
  said = true;
};
const { figures, problems, zipBytes } = await writeOutputFile(repository, { path, replace: false }, (sink) =>
  executeExport(repository, { snapshot: 'latest' }, { ...options, onProgress }, sink),
);
const report: ExportReport = {
  figures: { ...figures },
  problems,
  zipBytes,
  maxMB: peakMemoryMb(),
  seconds: (options.clock.monotonic() - begun) / 1000,
};
console.log(JSON.stringify(report));
exitAtOnce(0);
