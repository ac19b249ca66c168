/** Drives the verbs that only read snapshots, and tells what they gave in words that tests compare. */
import type { Change } from '../../src/engine/diff/change.ts';
import { compareSnapshots, type DiffRequest, type DiffResult } from '../../src/engine/diff/diff.ts';
import type { EntryQuery } from '../../src/engine/find/query.ts';
import { type FindBatch, type FindRequest, findInSnapshots, type FindResult } from '../../src/engine/find/find.ts';
import type { RunOptions } from '../../src/engine/run.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { runOptions } from './engine.ts';
import { hastyClock } from './hasty-clock.ts';

/** Compares two snapshots, given by their IDs; `folders` are paths in them. */
export async function difference(
  repository: Repository,
  [first, second]: readonly [string, string],
  { path, options, ...request }: Partial<DiffRequest> & { path?: string | [string, string]; options?: Partial<RunOptions> } = {},
): Promise<DiffResult & { readonly changes: readonly Change[] }> {
  const [a, b] = Array.isArray(path) ? path : [path, path];
  const side = async (id: string, at: string | undefined) => ({
    snapshot: await repository.findSnapshot(id),
    ...(at === undefined ? {} : { path: Buffer.from(at) }),
  });
  const changes: Change[] = [];
  const result = await compareSnapshots(
    repository,
    { first: await side(first, a), second: await side(second, b), ...request },
    runOptions({ clock: hastyClock, ...options }),
    (more) => void changes.push(...more),
  );
  return { ...result, changes };
}

const modifiers = { added: '+', removed: '-', content: 'M', metadata: 'U', type: 'T', moved: 'R' } as const;

/** `M /path`, `R /old -> /new`; folders end in a slash. */
export const changeLine = ({ kind, path, from, before, after, isSuspicious }: Change): string => {
  const slash = (after ?? before)!.type === 'dir' ? '/' : '';
  const moved = from === undefined ? '' : `${from.toString()}${slash} -> `;
  return `${modifiers[kind]}${isSuspicious ? '?' : ''} ${moved}${path.toString()}${slash}`;
};

/** Searches, by default in all snapshots, for names. */
export async function search(
  repository: Repository,
  patterns: readonly string[] | Partial<EntryQuery> | Exclude<FindRequest['query'], EntryQuery>,
  { snapshots, options }: { snapshots?: readonly string[]; options?: Partial<RunOptions> } = {},
): Promise<FindResult & { readonly batches: readonly FindBatch[] }> {
  const names: EntryQuery = {
    kind: 'entries',
    patterns: [],
    ignoreCase: false,
    contents: true,
    types: undefined,
    minSize: undefined,
    maxSize: undefined,
    newerNs: undefined,
    olderNs: undefined,
  };
  const query = Array.isArray(patterns) ? { ...names, patterns } : 'of' in patterns ? patterns : { ...names, ...patterns };
  const chosen = snapshots ? await Promise.all(snapshots.map((id) => repository.findSnapshot(id))) : await repository.snapshots();
  const batches: FindBatch[] = [];
  const result = await findInSnapshots(
    repository,
    { snapshots: chosen, query: query as FindRequest['query'] },
    runOptions({ clock: hastyClock, ...options }),
    (batch) => void batches.push(batch),
  );
  return { ...result, batches };
}

/** By snapshot ID: the paths that were found, in order. */
export function hitsOf({ batches }: { readonly batches: readonly FindBatch[] }): Map<string, string[]> {
  const hits = new Map<string, string[]>();
  for (const { snapshot, entries, blobs } of batches) {
    const paths = [...entries, ...blobs].map(({ path }) => path.toString());
    if (paths.length > 0) hits.set(snapshot.id, [...(hits.get(snapshot.id) ?? []), ...paths]);
  }
  return hits;
}
