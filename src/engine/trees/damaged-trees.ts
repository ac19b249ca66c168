/** Trees that a walk without paths could not read, and what they are called in the snapshots. */
import { type ErrorJSON, errorFromJSON, HoldfastError } from '../../contract/errors.ts';
import type { BlobIndex } from '../../repository/blob-index.ts';
import { bytesOfId } from '../../repository/ids.ts';
import { asked } from '../check/paths-job.ts';
import type { WorkerContext } from '../workers/context.ts';
import type { WorkerPool } from '../workers/pool.ts';
import { isTreeDamage } from './folder-problem.ts';

export interface TreeDamage {
  /** 64 hex digits. */
  readonly tree: string;
  readonly error: ErrorJSON;
}

export interface DamagedTree {
  /** 64 hex digits. */
  readonly tree: string;
  /** Some of the folders that it lists, as text for people; none when no folder leads there any more. */
  readonly paths: readonly string[];
  readonly error: HoldfastError;
}

/** Where to look for paths. */
export interface NamedRoot {
  /** ID of the tree. */
  readonly tree: Uint8Array;
  /** Its path as text; default `/`. */
  readonly path?: string;
}

/** All walks of a run together. */
const mostListed = 1000;
/** One job. */
const mostOfJob = 200;
const mostPaths = 3;

/** Collects them within a job: calls `read`, and notes the tree of record `tree` when it is damaged. Throws what makes going on senseless. */
export function readOrNote(damage: TreeDamage[], tree: number, context: WorkerContext, read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!isTreeDamage(error, context)) throw error;
    note(damage, context.index.idAt(tree), error);
  }
}

/** Notes a tree that the index does not know. */
export const noteMissing = (damage: TreeDamage[], tree: Uint8Array): void =>
  note(damage, tree, new HoldfastError('blob-missing', { blob: Buffer.from(tree).toString('hex'), type: 'tree' }));

function note(damage: TreeDamage[], tree: Uint8Array, error: HoldfastError): void {
  if (damage.length < mostOfJob) damage.push({ tree: Buffer.from(tree).toString('hex'), error: error.toJSON() });
}

/** Collects them over all jobs. */
export class DamagedTrees {
  readonly #found = new Map<string, ErrorJSON>();

  add(damage: readonly TreeDamage[]): void {
    for (const { tree, error } of damage) if (this.#found.size < mostListed) this.#found.set(tree, error);
  }

  /** Looks for their paths below `roots`. */
  async named(pool: WorkerPool, index: BlobIndex, roots: readonly NamedRoot[]): Promise<DamagedTree[]> {
    if (this.#found.size === 0) return [];
    const count = index.blobCount;
    const wanted = new Uint8Array(new SharedArrayBuffer(count));
    const best = new Uint32Array(new SharedArrayBuffer(count * 4)).map((_, record) => record);
    const missing: string[] = [];
    const paths = new Map<string, string[]>();
    const keys = [...this.#found.keys()].map((tree) => {
      const record = index.entryOf(bytesOfId(tree), 0, 'tree');
      const key = record < 0 ? `tree ${tree}` : `b${record}`;
      if (record < 0) missing.push(key);
      else wanted[record] = asked.blob;
      paths.set(key, []);
      return key;
    });
    const seen = new Uint8Array(new SharedArrayBuffer(count));
    for (const { tree, path: prefix = '/' } of roots) {
      const root = index.entryOf(tree, 0, 'tree');
      if (root < 0) {
        paths.get(`tree ${Buffer.from(tree).toString('hex')}`)?.splice(0, 1, prefix);
        continue;
      }
      const found = await pool.run('findPaths', { root, seen, wanted, packOf: new Uint32Array(0), best, missing });
      for (const { key, path } of found) {
        const known = paths.get(key);
        const place = prefix === '/' ? path : `${prefix}${path === '/' ? '' : path}`;
        if (known && known.length < mostPaths && !known.includes(place)) known.push(place);
      }
    }
    return [...this.#found].map(([tree, error], i) => ({ tree, paths: paths.get(keys[i])!, error: errorFromJSON(error) }));
  }
}
