/**
 * Snapshots that are lost: their files are damaged, or somebody says that they should be here. They are brought back from a repository
 * that holds the same snapshot: copies name the one that all were made of.
 *
 * Which snapshot a damaged file held is known only when others call it by its name. Otherwise it must be one of those that others hold,
 * that are not here, and of which all data still is: each of these is brought back. At worst one that was forgotten comes back, too.
 */
import type { RunControl } from '../../platform/cancellation.ts';
import type { Lock } from '../../repository/locks.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import { checkSnapshots } from '../check/small-files.ts';
import { Findings } from '../check/finding.ts';
import { Copies, copyFields, originalOf } from '../copy/copies.ts';
import { keepAside } from '../repair/keep-aside.ts';
import { removeFiles } from '../remove-files.ts';
import type { Filling, Offer } from './filling.ts';
import type { HealedSnapshot } from './request.ts';

interface Found {
  readonly snapshot: Snapshot;
  readonly from: string;
}

export class LostSnapshots {
  readonly #repository: Repository;
  readonly #copies: Copies;
  /** Names of damaged files. */
  readonly #damaged: ReadonlySet<string>;
  /** IDs that were asked for and are not here. */
  readonly #asked: ReadonlySet<string>;
  /** By the damaged file or the ID that was asked for. */
  readonly #found = new Map<string, Found>();
  readonly #brought = new Map<string, string>();
  /** Of the snapshots that are here, 64 hex digits each. */
  readonly trees: readonly string[];
  readonly kept: string[] = [];
  notRemoved = 0;
  /** Those that may be what a damaged file held, newest first. */
  #candidates: Found[] = [];
  readonly #guessed: HealedSnapshot[] = [];

  private constructor(repository: Repository, snapshots: readonly Snapshot[], damaged: ReadonlySet<string>, asked: readonly string[]) {
    this.#repository = repository;
    this.#copies = new Copies(snapshots);
    this.#damaged = damaged;
    const here = new Set(snapshots.flatMap((snapshot) => [snapshot.id, originalOf(snapshot)]));
    this.#asked = new Set(asked.filter((id) => !here.has(id) && !damaged.has(id)));
    this.trees = snapshots.map(({ tree }) => tree);
  }

  /** Reads all snapshots. Throws when the storage fails. */
  static async find(repository: Repository, asked: readonly string[]): Promise<LostSnapshots> {
    const findings = new Findings();
    const names = await repository.names('snapshot');
    const read = await checkSnapshots(repository, names, false, findings);
    const damaged = new Set(findings.list().flatMap(({ snapshot }) => snapshot ?? []));
    return new LostSnapshots(
      repository,
      read.filter(({ id }) => !damaged.has(id)),
      damaged,
      asked,
    );
  }

  get isAnyWanted(): boolean {
    return this.#damaged.size + this.#asked.size > 0;
  }

  /** Trees of snapshots that were found elsewhere and are to come back. */
  get foundTrees(): string[] {
    return [...this.#found.values()].map(({ snapshot }) => snapshot.tree);
  }

  /** Trees in a repository of snapshots that are lost here. */
  treesIn({ snapshots }: Offer): string[] {
    return snapshots.filter((snapshot) => this.#namesOf(snapshot).length > 0).map(({ tree }) => tree);
  }

  /** Finds out what others hold of what is lost. */
  look(offers: readonly Offer[]): void {
    this.#candidates = [];
    for (const { name, snapshots } of offers) {
      for (const snapshot of snapshots) {
        const found = { snapshot, from: name };
        const names = this.#namesOf(snapshot);
        // An earlier healing was cut off when only the damaged file was left to be removed.
        const copy = this.#copies.find(snapshot)?.id;
        if (copy !== undefined)
          for (const each of [snapshot.id, originalOf(snapshot)]) if (this.#damaged.has(each)) this.#brought.set(each, copy);
        for (const each of names) if (!this.#found.has(each)) this.#found.set(each, found);
        if (names.length === 0 && !this.#copies.find(snapshot)) this.#candidates.push(found);
      }
    }
  }

  #namesOf(snapshot: Snapshot): string[] {
    if (this.#copies.find(snapshot)) return [];
    return [...new Set([snapshot.id, originalOf(snapshot)])].filter((id) => this.#damaged.has(id) || this.#asked.has(id));
  }

  /**
   * Stores the snapshots of which everything is there, and removes the damaged files for which that was possible once they are kept in
   * `keepIn`; undefined: nothing can be removed.
   */
  async bringBack(filling: Filling, lock: Lock, keepIn: string | undefined, control: RunControl): Promise<void> {
    for (const [id, { snapshot }] of this.#found) {
      if (!(await filling.isWhole(snapshot.tree))) continue;
      this.#brought.set(id, await this.#save(snapshot, lock, control));
    }
    const unknown = [...this.#damaged].filter((id) => !this.#found.has(id) && !this.#brought.has(id));
    if (unknown.length > 0) await this.#guess(filling, lock, control);
    const isReplaced = (id: string): boolean => this.#brought.has(id) || (unknown.includes(id) && this.#guessed.length > 0);
    const useless = [...this.#damaged].filter(isReplaced);
    if (keepIn === undefined) {
      this.notRemoved = useless.length;
      return;
    }
    for (const name of useless) {
      await control.checkpointAsync();
      const size = await this.#repository.storage.size({ kind: 'snapshot', name });
      this.kept.push(await keepAside(this.#repository, name, size, keepIn, 'snapshot'));
    }
    await removeFiles(this.#repository, lock, control, 'snapshot', useless);
  }

  async #guess(filling: Filling, lock: Lock, control: RunControl): Promise<void> {
    for (const { snapshot, from } of this.#candidates) {
      if (this.#copies.find(snapshot) || !(await filling.isWhole(snapshot.tree))) continue;
      this.#guessed.push({ id: snapshot.id, isHealed: true, copy: await this.#save(snapshot, lock, control), from });
    }
  }

  async #save(snapshot: Snapshot, lock: Lock, control: RunControl): Promise<string> {
    const known = this.#copies.find(snapshot);
    if (known) return known.id;
    const parent = snapshot.parent === undefined ? undefined : this.#copies.ofId(snapshot.parent)?.id;
    const fields = copyFields(snapshot, snapshot.tree, parent);
    await control.checkpointAsync();
    await lock.ensure();
    const id = await this.#repository.saveSnapshot(fields);
    this.#copies.add({ ...fields, id });
    return id;
  }

  /** In a dry run what was found counts as brought back. */
  report(isDryRun: boolean): HealedSnapshot[] {
    const lost = [...this.#damaged, ...this.#asked].map((id): HealedSnapshot => {
      const from = this.#found.get(id)?.from;
      const copy = this.#brought.get(id);
      return { id, isHealed: copy !== undefined || (isDryRun && from !== undefined), copy, from };
    });
    if (this.#guessed.length === 0) return lost;
    return [...lost.filter(({ id, isHealed, from }) => isHealed || from !== undefined || this.#asked.has(id)), ...this.#guessed];
  }
}
