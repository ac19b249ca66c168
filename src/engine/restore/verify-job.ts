/** The worker's part of `--verify`: reads every restored file again, from the disk, and compares it with the snapshot. */
import { type BigIntStats, lstatSync, readlinkSync } from 'node:fs';
import { HoldfastError } from '../../contract/errors.ts';
import { splitList } from '../../platform/byte-list.ts';
import { joinPath } from '../../platform/byte-paths.ts';
import { sha256 } from '../../repository/ids.ts';
import type { Node } from '../../repository/tree/node.ts';
import type { WorkerContext } from '../workers/context.ts';
import { holdsContent } from './content.ts';
import { throwIfGone } from './failures.ts';
import { typeOf } from './policy.ts';
import { selectionIn, selectNodes } from './selection.ts';
import { type FolderTask, longestPath, type RestoreProblem } from './walk-task.ts';

export interface VerifyTask {
  readonly folders: readonly Pick<FolderTask, 'tree' | 'path' | 'selection'>[];
  /** What was not restored to its place: a joined list of path, and the other place (empty: nowhere). */
  readonly elsewhere: Uint8Array;
  /** Only what was changed at this time (nanoseconds since 1970) or later is compared. */
  readonly since: bigint | undefined;
}

export interface VerifyResult {
  readonly folders: readonly Pick<FolderTask, 'tree' | 'path' | 'selection'>[];
  readonly compared: number;
  readonly bytes: number;
  readonly problems: readonly RestoreProblem[];
}

const entriesAtOnce = 2000;

/** Job: see the top of this file. */
export function verifyFolders(task: VerifyTask, context: WorkerContext): VerifyResult {
  const elsewhere = new Map<string, Buffer>();
  const items = splitList(task.elsewhere);
  for (let i = 0; i < items.length; i += 2) elsewhere.set(items[i].toString('latin1'), items[i + 1]);
  const stack = [...task.folders].reverse();
  const problems: RestoreProblem[] = [];
  let [compared, bytes, seen] = [0, 0, 0];
  while (stack.length > 0 && seen < entriesAtOnce) {
    const folder = stack.pop()!;
    let nodes: readonly Node[];
    try {
      nodes = selectNodes(folder.selection, context.loadTree(folder.tree));
    } catch (error) {
      throwIfGone(error, context);
      // A folder that the restore itself could not read either is reported already, and not again.
      problems.push({ path: new Uint8Array(folder.path), kind: 'differs', detail: `it could not be compared: ${error.message}` });
      continue;
    }
    const children: VerifyTask['folders'][number][] = [];
    for (const node of nodes) {
      context.control.checkpoint();
      seen += 1;
      let place = joinPath(Buffer.from(folder.path), node.name);
      // The restore has reported it.
      if (place.length > longestPath) continue;
      const other = elsewhere.get(place.toString('latin1'));
      if (other?.length === 0) continue;
      place = other ?? place;
      if (node.type === 'dir') {
        const selection = selectionIn(folder.selection, node.name);
        children.push({ tree: new Uint8Array(node.subtree!), path: new Uint8Array(place), selection });
        continue;
      }
      if (node.type === 'socket' || node.type === 'irregular') continue;
      if (task.since !== undefined && isOlder(place, task.since)) continue;
      const difference = compare(place, node, context);
      compared += 1;
      bytes += node.size;
      context.progress.add('files', 1);
      if (difference !== undefined) problems.push({ path: new Uint8Array(place), kind: 'differs', detail: difference });
    }
    for (let i = children.length - 1; i >= 0; i--) stack.push(children[i]);
  }
  return { folders: stack.reverse(), compared, bytes, problems };
}

/** Whether the entry was changed for the last time before; what is not there is not. */
function isOlder(place: Buffer, since: bigint): boolean {
  const stat = lstatSync(place, { bigint: true, throwIfNoEntry: false });
  return stat !== undefined && stat.ctimeNs < since;
}

/** In words what differs; undefined when nothing does. */
function compare(place: Buffer, node: Node, context: WorkerContext): string | undefined {
  context.progress.path = place;
  try {
    const stat = lstatSync(place, { bigint: true });
    if (typeOf(stat) !== node.type) return 'it is of another kind';
    if (node.type === 'symlink')
      return readlinkSync(place, { encoding: 'buffer' }).equals(node.linkTarget ?? Buffer.alloc(0)) ? undefined : 'it leads elsewhere';
    if (node.type !== 'file') return node.type === 'fifo' || stat.rdev === node.device ? undefined : 'it is another device';
    const same = stat.nlink > 1n ? holdsOnce(place, node, stat, context) : holdsContent(place, node, context, true);
    return same === undefined ? 'the repository no longer knows its content' : same ? undefined : 'its content differs';
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    return (error as Error).message;
  }
}

/** A file with many names is read once by each worker. */
function holdsOnce(place: Buffer, node: Node, { dev, ino }: BigIntStats, context: WorkerContext): boolean | undefined {
  const { state } = context;
  const known = (state.get(linkedFiles) as Map<string, boolean | undefined> | undefined) ?? new Map<string, boolean | undefined>();
  state.set(linkedFiles, known);
  const key = `${dev}:${ino}:${sha256(node.content!).toString('latin1')}`;
  if (!known.has(key)) known.set(key, holdsContent(place, node, context, true));
  return known.get(key);
}

const linkedFiles = 'verify: linked files';
