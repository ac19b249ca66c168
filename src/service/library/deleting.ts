/** What deleting snapshots would give, and what one of them takes. */
import type { DeletionPlan } from '../../contract/snapshots.ts';
import { hasCode, toHoldfastError } from '../../contract/errors.ts';
import { planPrune } from '../../engine/prune/plan.ts';
import { measureRepository } from '../../engine/stats/stats.ts';
import type { Repository } from '../../repository/repository.ts';
import type { RunOptions } from '../../engine/run.ts';
import type { Destinations } from '../destinations/destinations.ts';
import type { Common } from '../parts.ts';
import { errorOf } from '../runs/work.ts';
import type { Library } from './library.ts';

export interface DeletingOptions extends Pick<Common, 'clock' | 'identity' | 'besides'> {
  readonly library: Library;
  readonly destinations: Pick<Destinations, 'open'>;
}

export interface SnapshotStats {
  readonly destination: string;
  readonly files: number;
  readonly entries: number;
  readonly bytes: number;
  readonly storedBytes: number;
  readonly soleBytes: number;
  readonly problems: number;
}

export class Deleting {
  readonly #options: DeletingOptions;

  constructor(options: DeletingOptions) {
    this.#options = options;
  }

  /** Destinations that cannot be reached say so. Throws `snapshot-not-found`, `cancelled`. */
  async plan(ids: readonly string[], wanted: readonly string[] | undefined, signal: AbortSignal | undefined): Promise<DeletionPlan> {
    const { library } = this.#options;
    const snapshots = await Promise.all(ids.map((id) => library.get(id)));
    const chosen = [...new Map(snapshots.map((each) => [each.key, each])).values()];
    const byDestination = idsByDestination(chosen, wanted);
    const destinations: DeletionPlan['destinations'] = [];
    for (const [destination, here] of byDestination) {
      const facts = { destination, snapshots: here.length };
      try {
        const frees = await this.#with(destination, signal, async (repository, options) => {
          const after = await planPrune(repository, { without: here }, options);
          const before = await planPrune(repository, {}, options);
          return Math.max(0, after.unused.bytes - before.unused.bytes);
        });
        destinations.push({ ...facts, frees, error: null });
      } catch (thrown) {
        const error = toHoldfastError(thrown);
        if (hasCode(error, 'cancelled')) throw error;
        destinations.push({ ...facts, frees: null, error: errorOf(error) });
      }
    }
    const pinned = chosen.filter((each) => each.pinned).map(({ key }) => key);
    return { snapshots: chosen, pinned, lastOf: await this.lastOf(byDestination), destinations };
  }

  /** Names of the plans, or computers, of which a destination would hold no snapshot any more. */
  async lastOf(byDestination: ReadonlyMap<string, readonly string[]>): Promise<string[]> {
    const { snapshots } = await this.#options.library.list({});
    const names = new Set<string>();
    for (const [destination, here] of byDestination) {
      const held = snapshots.flatMap((view) => {
        const id = view.holders.find((holder) => holder.destination === destination)?.snapshot;
        return id === undefined
          ? []
          : [{ id, name: view.planName ?? (view.hostname || '?'), line: view.plan ?? JSON.stringify([view.hostname, view.paths]) }];
      });
      for (const group of Map.groupBy(held, ({ line }) => line).values())
        if (group.every(({ id }) => here.includes(id))) names.add(group[0]!.name);
    }
    return [...names];
  }

  /** Throws what opening and reading throw. */
  async stats(id: string, wanted: string | undefined, signal: AbortSignal | undefined): Promise<SnapshotStats> {
    const { library } = this.#options;
    return library.tryEach(await library.holders(id, wanted), ({ destination, snapshot }) =>
      this.#with(destination, signal, async (repository, options) => {
        const all = await repository.snapshots(() => {});
        const request = { snapshots: [snapshot], others: all.filter((each) => each.id !== snapshot.id) };
        const { snapshots, raw, damagedTrees, unknownBlobs } = await measureRepository(repository, request, options);
        const { size, alone } = snapshots[0]!;
        return {
          destination,
          files: size.files,
          entries: size.entries,
          bytes: size.bytes,
          storedBytes: raw.bytes,
          soleBytes: alone.bytes,
          problems: damagedTrees.length + unknownBlobs,
        };
      }),
    );
  }

  #with<T>(
    destination: string,
    signal: AbortSignal | undefined,
    work: (repository: Repository, options: RunOptions) => Promise<T>,
  ): Promise<T> {
    const { besides, destinations, clock, identity } = this.#options;
    return besides.run(async (control) => {
      const cancel = (): void => control.cancel();
      signal?.addEventListener('abort', cancel, { once: true });
      try {
        const repository = await destinations.open(destination, { signal: control.signal });
        try {
          return await work(repository, { control, clock, holder: { ...identity, pid: process.pid } });
        } finally {
          await repository.storage.close().catch(() => {});
        }
      } finally {
        signal?.removeEventListener('abort', cancel);
      }
    });
  }
}

/** The IDs that the snapshots have on each destination. */
export function idsByDestination(
  snapshots: readonly { readonly holders: readonly { readonly destination: string; readonly snapshot: string }[] }[],
  wanted: readonly string[] | undefined,
): Map<string, string[]> {
  const all = snapshots.flatMap(({ holders }) => holders).filter(({ destination }) => wanted === undefined || wanted.includes(destination));
  return new Map([...Map.groupBy(all, ({ destination }) => destination)].map(([id, group]) => [id, group.map(({ snapshot }) => snapshot)]));
}
