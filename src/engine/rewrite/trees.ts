/** Rewrites the trees of many snapshots with all workers. */
import { errorFromJSON, HoldfastError } from '../../contract/errors.ts';
import { bytesOfId } from '../../repository/ids.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import type { ExcludeRules } from '../backup/exclude.ts';
import { mostEntries } from '../trees/unfold.ts';
import type { WorkerPool } from '../workers/pool.ts';
import type { LeftOutEntry, RewrittenTree } from './tree-job.ts';
import type { TreeFigures } from './tree-memo.ts';

/** What became of one snapshot's trees. */
export type TreeOutcome =
  | { readonly tree: string; readonly figures: TreeFigures }
  | { readonly error: HoldfastError; readonly path: Uint8Array };

export interface RewrittenSnapshots {
  /** By the snapshot's ID. */
  readonly outcomes: ReadonlyMap<string, TreeOutcome>;
  /** Some of what was left out, each path once. */
  readonly leftOut: readonly LeftOutEntry[];
}

/** In all. */
const listedEntries = 1000;

/** `store`: see RewriteTrees. Throws `cancelled`, or what makes going on senseless. */
export async function rewriteSnapshotTrees(
  pool: WorkerPool,
  snapshots: readonly Snapshot[],
  rules: ExcludeRules,
  store: boolean,
): Promise<RewrittenSnapshots> {
  // Snapshots of the same sources share most of their trees, neighbours in time more than others: one worker does them all, and
  // reads what they share once.
  const kinds = [...Map.groupBy(snapshots, rootKey)].sort(([a], [b]) => (groupOf(a) < groupOf(b) ? -1 : groupOf(a) > groupOf(b) ? 1 : 0));
  const size = Math.ceil(kinds.length / pool.size);
  const outcomes = new Map<string, TreeOutcome>();
  const leftOut = new Map<string, LeftOutEntry>();
  const parts: Promise<void>[] = [];
  for (let at = 0; at < kinds.length; at += size) {
    const part = kinds.slice(at, at + size);
    const roots = part.map(([, [{ tree, paths }]]) => ({ tree: new Uint8Array(bytesOfId(tree)), paths }));
    parts.push(
      pool.run('rewriteTrees', { rules, store, roots }).then((results) => {
        for (const [i, [, same]] of part.entries()) {
          for (const { id } of same) outcomes.set(id, outcomeOf(id, results[i]));
          for (const entry of leftOutOf(results[i])) {
            const key = Buffer.from(entry.path).toString('latin1');
            if (leftOut.size < listedEntries || leftOut.has(key)) leftOut.set(key, entry);
          }
        }
      }),
    );
  }
  await Promise.all(parts);
  const byPath = (a: LeftOutEntry, b: LeftOutEntry): number => Buffer.compare(a.path, b.path);
  return { outcomes, leftOut: [...leftOut.values()].sort(byPath) };
}

/** What the outcome depends on: snapshots of the same key have the same. The tree comes last. */
const rootKey = ({ hostname, paths, tree }: Snapshot): string => `${JSON.stringify([hostname, paths])} ${tree}`;

const groupOf = (key: string): string => key.slice(0, -65);

const leftOutOf = (result: RewrittenTree): readonly LeftOutEntry[] => ('error' in result ? [] : result.leftOut);

function outcomeOf(snapshot: string, result: RewrittenTree): TreeOutcome {
  if ('error' in result) return { error: errorFromJSON(result.error), path: result.path };
  const { figures, tree } = result;
  if (figures.entries > mostEntries)
    return { error: new HoldfastError('snapshot-too-large', { snapshot, entries: figures.entries }), path: Buffer.from('/') };
  return { tree: Buffer.from(tree).toString('hex'), figures };
}
