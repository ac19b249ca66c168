/**
 * Job: blobs of files, as restic's `stats --mode blobs-per-file` counts them: a blob counts once for each path that needs it, and a
 * file only where its content was met first. Hence trees are read in the order of snapshots and paths, each only once: what is in one
 * that was met before is known.
 */
import { joinPath } from '../../platform/byte-paths.ts';
import { emptyLocation } from '../../repository/blob-index.ts';
import { sealOverhead } from '../../repository/crypto.ts';
import { idBytes, sha256 } from '../../repository/ids.ts';
import { addKey, SharedTable } from '../../repository/shared-table.ts';
import type { Node } from '../../repository/tree/node.ts';
import { fieldSet } from '../../repository/tree/read-node.ts';
import { noteMissing, readOrNote, type TreeDamage } from '../trees/damaged-trees.ts';
import { longestPath, tooDeep } from '../trees/folder-problem.ts';
import { NodeStream } from '../trees/node-stream.ts';
import type { WorkerContext } from '../workers/context.ts';
import { Contents, type ContentsMemory } from './contents-job.ts';

export interface ReferencesArgs {
  readonly memory: ContentsMemory;
  /** Records of the snapshots' trees, in order. */
  readonly trees: Uint32Array;
}

export interface CountedReferences {
  readonly files: number;
  readonly blobs: number;
  readonly bytes: number;
  readonly unknownBlobs: number;
  readonly damage: readonly TreeDamage[];
}

interface OpenFolder {
  readonly record: number;
  readonly path: Buffer;
  nodes: NodeStream | undefined;
}

const noFields = fieldSet([]);
const slash = Buffer.from('/');

export function countReferences({ memory, trees }: ReferencesArgs, context: WorkerContext): CountedReferences {
  const { index, control, progress } = context;
  const contents = new Contents(memory, context);
  const references = new References(context);
  const damage: TreeDamage[] = [];
  for (const tree of trees) {
    const stack: OpenFolder[] = contents.isNewTree(tree) ? [{ record: tree, path: slash, nodes: undefined }] : [];
    while (stack.length > 0) {
      control.checkpoint();
      const folder = stack[stack.length - 1];
      let node: Node | undefined;
      readOrNote(damage, folder.record, context, () => {
        if (!folder.nodes) {
          progress.add('dirs', 1);
          const id = index.idAt(folder.record);
          if (folder.path.length > longestPath) tooDeep(id);
          folder.nodes = new NodeStream(context, id, 0, noFields);
        }
        node = folder.nodes.peek();
      });
      if (!node) {
        stack.pop();
        continue;
      }
      folder.nodes!.take();
      const path = joinPath(folder.path, node.name);
      if (node.content && contents.isNewContent(node.content)) references.add(path, node.content);
      if (!node.subtree) continue;
      const record = index.entryOf(node.subtree, 0, 'tree');
      if (record < 0) noteMissing(damage, node.subtree);
      else if (contents.isNewTree(record)) stack.push({ record, path, nodes: undefined });
    }
  }
  return { ...references.result(), damage };
}

class References {
  readonly #context: WorkerContext;
  /** Hashes of paths, and of paths with a blob: some 50 bytes each. */
  readonly #paths = SharedTable.create(9);
  readonly #blobsOfPaths = SharedTable.create(9);
  readonly #location = emptyLocation();
  #files = 0;
  #blobs = 0;
  #bytes = 0;
  #unknownBlobs = 0;

  constructor(context: WorkerContext) {
    this.#context = context;
  }

  add(path: Buffer, content: Buffer): void {
    if (content.length === 0) return;
    const key = sha256(path);
    if (addKey(this.#paths, key)) this.#files += 1;
    for (let at = 0; at < content.length; at += idBytes) {
      const id = content.subarray(at, at + idBytes);
      if (!addKey(this.#blobsOfPaths, sha256(Buffer.concat([key, id])))) continue;
      if (!this.#context.index.locate(id, 0, 'data', this.#location)) {
        this.#unknownBlobs += 1;
        continue;
      }
      this.#blobs += 1;
      this.#bytes += this.#location.uncompressedLength || this.#location.length - sealOverhead;
    }
  }

  result(): Omit<CountedReferences, 'damage'> {
    return { files: this.#files, blobs: this.#blobs, bytes: this.#bytes, unknownBlobs: this.#unknownBlobs };
  }
}
