/** What a healing is asked for, and what it tells. */
import type { HoldfastError } from '../../contract/errors.ts';
import type { Repository } from '../../repository/repository.ts';
import type { PackRepair } from '../repair/packs-plan.ts';
import type { BlobWithPaths } from '../repair/lost-paths.ts';

/** Another repository that may hold what is lost here. It need not be there: whatever its opening throws is told, and the next is asked. */
export interface HealSource {
  /** For a person. */
  readonly name: string;
  /** Called when something is needed of it, perhaps more than once; whoever gives it closes it. */
  open(): Promise<Repository>;
}

/** Sources that are opened once, when that works, and closed together. */
export class OpenedSources {
  readonly #opened = new Map<HealSource, Repository>();
  readonly sources: readonly HealSource[];

  constructor(sources: readonly HealSource[]) {
    this.sources = sources.map((source) => ({
      name: source.name,
      open: async () => {
        const repository = this.#opened.get(source) ?? (await source.open());
        this.#opened.set(source, repository);
        return repository;
      },
    }));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#opened.values()].map(({ storage }) => storage.close().catch(() => {})));
  }
}

export interface HealRequest {
  /** In the order in which they are asked. */
  readonly others: readonly HealSource[];
  /** Folders, absolute: files in them may be read, where they are what a snapshot says. */
  readonly sources?: readonly string[] | undefined;
  /**
   * What is read to find damage that only shows in the data: `all` packs (default), those that are named by their IDs, or with `[]`
   * none. Whatever the index, the sizes of the packs and the listings of folders tell is always found.
   */
  readonly packs?: 'all' | readonly string[] | undefined;
  /**
   * IDs of snapshots, as this repository or any other has them, that should be here: a file that is gone looks as if the snapshot were
   * forgotten, so that somebody has to say that it is not. Snapshots whose files are damaged are looked for by themselves.
   */
  readonly snapshots?: readonly string[] | undefined;
}

/** Where pieces came from, or would come from. */
export interface HealedFrom {
  readonly name: string;
  readonly kind: 'repository' | 'files';
  readonly blobs: number;
  /** Of repositories: what the pieces take there; of files: what was read for them that was wanted. */
  readonly bytes: number;
}

export interface HealedBlob extends BlobWithPaths {
  /** The repository's name, or {@link fromFiles}. */
  readonly from: string;
}

/** Stands for the files on this computer among the names of repositories. */
export const fromFiles = 'files on this computer';

export interface HealedSnapshot {
  /** The damaged file, or the ID that was asked for; of one that is not known any more, that of the other repository. */
  readonly id: string;
  /** Whether it is here again, or in a dry run whether it would be. */
  readonly isHealed: boolean;
  /** The ID that it has here now. */
  readonly copy: string | undefined;
  /** Where it was found; undefined: nowhere. */
  readonly from: string | undefined;
}

export interface HealReport {
  /** Index files that were damaged and entries for packs that were not right. */
  readonly indexFiles: number;
  readonly indexPacks: number;
  /** Damaged packs; what was intact in them is kept. */
  readonly packs: readonly PackRepair[];
  /** Packs that cannot be read just now, and are left alone. */
  readonly unread: readonly { readonly pack: string; readonly cause: string }[];
  readonly from: readonly HealedFrom[];
  /** What was lacking and is there again, the first of it with what needs it. */
  readonly healed: readonly HealedBlob[];
  readonly moreHealed: number;
  /** What is nowhere to be had, with what needs it: all else can be restored. */
  readonly unhealed: readonly BlobWithPaths[];
  readonly moreUnhealed: number;
  readonly snapshots: readonly HealedSnapshot[];
  /** Repositories that could not be asked. */
  readonly unavailable: readonly { readonly name: string; readonly error: HoldfastError }[];
  /** Nothing can be removed here, so damaged files stay beside what is whole again: how many. */
  readonly notRemoved: number;
  /** Paths of copies of the damaged files that were removed. */
  readonly kept: readonly string[];
  /** Bytes of packs stored. */
  readonly storedBytes: number;
}

/** Whether everything is there again: `whole` also when nothing was wrong. */
export const isAllHealed = ({ unhealed, snapshots, unread }: HealReport): boolean =>
  unhealed.length === 0 && unread.length === 0 && snapshots.every(({ isHealed }) => isHealed);

/** Whether nothing was wrong. */
export const wasWhole = (report: HealReport): boolean =>
  isAllHealed(report) && report.healed.length + report.snapshots.length + report.packs.length + report.indexFiles + report.indexPacks === 0;
