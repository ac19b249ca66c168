/** What a worker keeps between the tasks of a backup. */
import { splitPath } from '../../platform/byte-paths.ts';
import { systemUserNames, type UserNames } from '../../platform/users.ts';
import type { WorkerContext } from '../workers/context.ts';
import { keepVisits } from './changed-folders.ts';
import { createExcluder, type FolderExcluder } from './exclude.ts';
import { createTagFinder, type TagFinder } from './exclude-tags.ts';
import { beginFiles } from './hand-over.ts';
import { FileReader } from './read-file.ts';
import { noFigures, type ScanOptions } from './scan-task.ts';

export interface ScanState {
  readonly options: ScanOptions;
  readonly reader: FileReader;
  readonly users: UserNames;
  readonly tags: TagFinder | undefined;
  /** The excluder of each source's top, by path. */
  readonly excluders: Map<string, FolderExcluder>;
}

const stateName = 'backup';

/** Job: prepares a worker for the tasks of a run. */
export function beginScan(options: ScanOptions, context: WorkerContext): void {
  const reader = new FileReader(context, noFigures().data);
  // A tag that does not count leaves its folder as it is: nothing is missing from the backup, so nothing is said.
  const tags = options.rules.tags.length > 0 ? createTagFinder(options.rules.tags, () => {}) : undefined;
  keepVisits(context, options.visits);
  beginFiles(options.files, context);
  context.state.set(stateName, { options, reader, users: systemUserNames(), tags, excluders: new Map() } satisfies ScanState);
}

export const scanStateIn = (context: WorkerContext): ScanState => context.state.get(stateName) as ScanState;

/** The excluder in `path`, which is `source` or a folder below it. */
export function excluderFor(state: ScanState, source: Buffer, path: Buffer): FolderExcluder {
  const key = source.toString('latin1');
  let folder = state.excluders.get(key);
  if (!folder) state.excluders.set(key, (folder = createExcluder(state.options.rules, source).root));
  for (const name of splitPath(path.subarray(source.length))) folder = folder.enter(name);
  return folder;
}
