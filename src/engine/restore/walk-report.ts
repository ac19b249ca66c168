/** What a walk gives back, as it comes together: lines and sums of the plan, files to write, folders met, problems. */
import type { BigIntStats } from 'node:fs';
import { joinList } from '../../platform/byte-list.ts';
import type { Node } from '../../repository/tree/node.ts';
import { typeOf } from './policy.ts';
import { fileFacts, type FolderTask, noWalkFigures, type PlannedEntry, type RestoreProblem, type WalkResult } from './walk-task.ts';

export class WalkReport {
  readonly figures = noWalkFigures();
  readonly #list: boolean;
  readonly #entries: PlannedEntry[] = [];
  readonly #problems: RestoreProblem[] = [];
  readonly #files: Uint8Array[] = [];
  readonly #met: Uint8Array[] = [];
  readonly #elsewhere: Uint8Array[] = [];
  readonly #mounts: Uint8Array[] = [];
  readonly #devices = new Set<bigint>();
  /** Space that replaced and deleted files give back, in bytes. */
  freed = 0;

  /** With `list`, the lines of the plan are kept, not only their sums. */
  constructor(list: boolean) {
    this.#list = list;
  }

  /** What becomes of the entry at `path`; `other` is its other name, when it gets or has one. */
  plan(path: Buffer, node: Node | undefined, action: PlannedEntry['action'], existing: BigIntStats | undefined, other = path): void {
    this.figures[action] += 1;
    const writes = action === 'create' || action === 'replace' || action === 'beside';
    // What files with several names need is counted by the coordinator, which knows them all.
    if (writes && node?.type === 'file' && node.links <= 1) this.figures.bytes += node.size;
    if (!this.#list) return;
    this.#entries.push({
      path: new Uint8Array(path),
      other: other === path ? undefined : new Uint8Array(other),
      type: node?.type ?? typeOf(existing!),
      action,
      size: node?.size ?? 0,
      mtimeNs: node?.mtimeNs ?? 0n,
      existingSize: existing && Number(existing.size),
      existingMtimeNs: existing?.mtimeNs,
    });
  }

  /** A file to write, or with `fileFlags.isThere` one that stands for further names. `keep`: where what is at `path` is moved before. */
  file(path: Buffer, node: Node, flags: number, keep: Buffer | undefined): void {
    this.#files.push(path, node.raw!, node.content!, fileFacts(flags, node.size), keep ?? nowhere);
  }

  /** A folder that is there by now. */
  met(path: Buffer, node: Node, isNew: boolean): void {
    this.#met.push(path, node.raw!, Uint8Array.of(isNew ? 1 : 0));
  }

  /** What is restored to another place than its own. */
  elsewhere(path: Buffer, other: Buffer): void {
    this.#elsewhere.push(path, other);
  }

  /** The entry at `path` is not restored, and the person knows why: nobody has to look for it. */
  notRestored(path: Buffer): void {
    this.elsewhere(path, nowhere);
  }

  /** Reports what is not restored, so that nobody looks for it. */
  giveUp(path: Buffer, error: Error): void {
    this.problem(path, 'failed', error.message);
    this.notRestored(path);
  }

  problem(path: Buffer, kind: RestoreProblem['kind'], detail: string): void {
    this.#problems.push({ path: new Uint8Array(path), kind, detail });
  }

  /** An existing folder, which may be the first on its file system. */
  mount(path: Buffer, device: bigint): void {
    if (this.#devices.has(device)) return;
    this.#devices.add(device);
    this.#mounts.push(path);
  }

  /** `folders` are those that the walk has not come to. */
  result(folders: readonly FolderTask[], recorded: WalkResult['recorded']): WalkResult {
    return {
      folders,
      files: joinList(this.#files),
      met: joinList(this.#met),
      elsewhere: joinList(this.#elsewhere),
      mounts: joinList(this.#mounts),
      freed: this.freed,
      entries: this.#entries,
      figures: this.figures,
      problems: this.#problems,
      recorded,
    };
  }
}

const nowhere = Buffer.alloc(0);
