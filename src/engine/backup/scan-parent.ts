/** What the parent snapshot has beside a folder that is scanned. A tree of it that cannot be read costs time, not data: everything in it is read again. */
import type { BigIntStats } from 'node:fs';
import { idBytes } from '../../repository/ids.ts';
import type { Node } from '../../repository/tree/node.ts';
import type { WorkerContext } from '../workers/context.ts';
import type { Visit } from './changed-folders.ts';
import { noteUnreadable } from './parent-damage.ts';
import { ParentFolder } from './parent-folder.ts';
import { differ, type Frame } from './scan-frame.ts';
import type { Look } from './scan-task.ts';

export function openParent(tree: Uint8Array, context: WorkerContext): ParentFolder | undefined {
  try {
    return new ParentFolder(tree, new Uint8Array(context.loadBlob('tree', tree)));
  } catch (error) {
    noteUnreadable(error, tree, context);
    return undefined;
  }
}

/** Undefined when the parent's tree cannot be read to its end. */
export function namesInParent(parent: ParentFolder, context: WorkerContext): Buffer[] | undefined {
  const names: Buffer[] = [];
  try {
    parent.forAll(({ name }) => names.push(name));
    return names;
  } catch (error) {
    noteUnreadable(error, parent.tree, context);
    return undefined;
  }
}

/** The parent's node of this name; names are asked for in ascending order. */
export function nodeInParent(frame: Frame, name: Buffer, context: WorkerContext): Node | undefined {
  try {
    const node = frame.parent?.find(name);
    if (frame.parent?.allFound === false) differ(frame);
    return node;
  } catch (error) {
    noteUnreadable(error, frame.parentTree!, context);
    differ(frame);
    frame.parent = undefined;
    return undefined;
  }
}

/** Whether a file is as the parent has it, and all of it is stored. */
export function isUnchanged({ type, content, size, mtimeNs, ctimeNs, inode }: Node, stat: BigIntStats, { index }: WorkerContext): boolean {
  if (type !== 'file' || content === null || BigInt(size) !== stat.size) return false;
  if (mtimeNs !== stat.mtimeNs || ctimeNs !== stat.ctimeNs || inode !== stat.ino) return false;
  for (let at = 0; at < content.length; at += idBytes) if (!index.has(content, at, 'data')) return false;
  return true;
}

/** How a folder is looked at that is in one which is not looked at whole. `before` is its node in the parent snapshot. */
export function lookAt(visit: Visit | undefined, stat: BigIntStats, before: Node): Look | 'trusted' {
  // Another folder than the parent's, whatever the journal says of the one.
  if (before.type !== 'dir' || visit?.isWhole || before.inode !== stat.ino || before.deviceId !== stat.dev) return 'all';
  // It changed after the journal was cut: nothing says that those in it did.
  if (visit?.isChanged || before.ctimeNs !== stat.ctimeNs || before.mtimeNs !== stat.mtimeNs) return 'listed';
  return visit ? 'passed' : 'trusted';
}
