/** A folder on the way from a task's folder to the entry that is being worked on. */
import { joinList } from '../../platform/byte-list.ts';
import { formatNode } from '../../repository/tree/format.ts';
import type { Node } from '../../repository/tree/node.ts';
import type { Visit } from './changed-folders.ts';
import type { FolderExcluder } from './exclude.ts';
import type { ParentFolder } from './parent-folder.ts';
import type { Look, OpenFrame } from './scan-task.ts';

export interface Frame {
  readonly path: Buffer;
  readonly excluder: FolderExcluder | undefined;
  readonly source: Buffer | undefined;
  readonly device: bigint | undefined;
  readonly parentTree: Uint8Array | undefined;
  readonly look: Look;
  /** Undefined when there is no journal, or it names neither this folder nor one below. */
  readonly visit: Visit | undefined;
  /** Undefined when there is none, or it cannot be read any further. */
  parent: ParentFolder | undefined;
  readonly names: readonly Buffer[];
  next: number;
  /** Every entry so far is in the parent's tree as it is, and none that is there is missing. */
  same: boolean;
  /** How many entries so far belong into the folder's tree. */
  done: number;
  /** They themselves; empty while they are the same as the parent's. */
  readonly doneNames: Buffer[];
  readonly doneNodes: (string | Uint8Array)[];
  /** It holds files that have other names. */
  hasLinks: boolean;
  /** The folder's own node, its stored node in the parent, if any, and its name; undefined for the task's folder. */
  readonly own: { readonly name: Buffer; readonly node: Node; readonly before: Node | undefined } | undefined;
}

const nodeBytes = (node: string | Uint8Array): Uint8Array => (typeof node === 'string' ? Buffer.from(node) : node);

/** From now on the folder has entries of its own. */
export function differ(frame: Frame): void {
  if (!frame.same) return;
  frame.same = false;
  frame.parent?.forFirst(frame.done, (node) => {
    frame.doneNames.push(node.name);
    frame.doneNodes.push(node.raw!);
  });
}

/** Adds an entry to those that are done; `same` when the parent has it as it is. */
export function addDone(frame: Frame, name: Buffer, node: string | Uint8Array, same: boolean): void {
  if (!same) differ(frame);
  frame.done += 1;
  if (frame.same) return;
  frame.doneNames.push(name);
  frame.doneNodes.push(node);
}

export function joinDone(frame: Frame): Uint8Array {
  differ(frame);
  const items: Uint8Array[] = [];
  for (let i = 0; i < frame.doneNames.length; i++) items.push(frame.doneNames[i], nodeBytes(frame.doneNodes[i]));
  return joinList(items);
}

/** For the coordinator, which shares out what remains. */
export function openFrame(frame: Frame): OpenFrame {
  const { name, node, before } = frame.own!;
  return {
    path: new Uint8Array(frame.path),
    parentTree: frame.parentTree && new Uint8Array(frame.parentTree),
    source: new Uint8Array(frame.source!),
    device: frame.device!,
    look: frame.look,
    name: new Uint8Array(name),
    node: formatNode(node),
    before: before?.raw && new Uint8Array(before.raw),
    done: joinDone(frame),
    remaining: joinList(frame.names.slice(frame.next)),
  };
}
