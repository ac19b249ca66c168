/**
 * Another process at work on a place where files are restored, for tests of killing, of other users and of tracing.
 *
 *     node target-process.ts restore REPOSITORY '{"target": "/t", "path": "/s", "undo": {"folder": "/j"}, …}'
 *     node target-process.ts mirror REPOSITORY '{"to": "/t", "path": "/s", "known": "/k", …}'
 *     node target-process.ts undo JOURNALS '{"id": "1f2e3d4c"}'
 *
 * Prints `ready` when it begins, and one line of JSON at the end: {@link TargetReport}.
 */
import { executeMirror } from '../../src/engine/mirror/mirror.ts';
import { executeUndo } from '../../src/engine/undo/undo.ts';
import { openRepository, restore, runOptions } from './engine.ts';
import { peakMemoryMb } from './peak-memory.ts';
import { exitAtOnce } from '../../src/platform/exit.ts';

export interface TargetReport {
  readonly figures: object;
  readonly problems: readonly string[];
  /** ID under which a restore can be undone. */
  readonly undo: string | undefined;
  /** The most memory that the process had at any time, in MB. */
  readonly maxMB: number;
}

const [verb, folder = '', json = '{}'] = process.argv.slice(2);
const { path, ...settings } = JSON.parse(json) as Record<string, string | undefined>;
const where = path === undefined ? {} : { path: Buffer.from(path) };

const run = async (): Promise<{
  figures: object;
  problems: readonly { kind: string; path: Uint8Array; detail: string }[];
  undo?: unknown;
}> => {
  if (verb === 'undo') {
    console.log('ready');
    return executeUndo(folder, settings['id'] ?? '', runOptions());
  }
  const repository = await openRepository(folder);
  console.log('ready');
  if (verb === 'restore') return restore(repository, settings['target'], { ...settings, ...where });
  const { to = '', known = '', ...others } = settings;
  return executeMirror(repository, { snapshot: 'latest', ...(others as object), ...where, to }, { ...runOptions(), known });
};

try {
  const { figures, problems, undo } = await run();
  const report: TargetReport = {
    figures,
    problems: problems.map(({ kind, path: place, detail }) => `${kind}: ${Buffer.from(place).toString('latin1')}: ${detail}`),
    undo: (undo as { id: string } | undefined)?.id,
    maxMB: peakMemoryMb(),
  };
  console.log(JSON.stringify(report));
  exitAtOnce(0);
} catch (error) {
  console.error(error);
  exitAtOnce(1);
}
