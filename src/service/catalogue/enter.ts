/** Enters into the catalogue what a repository holds and it does not know yet, newest first, and takes out what is gone. */
import { hasCode } from '../../contract/errors.ts';
import { type TreeReading, withTrees } from '../../engine/listing/read-trees.ts';
import type { RunControl } from '../../platform/cancellation.ts';
import type { BlobIndex } from '../../repository/blob-index.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import type { Catalogue } from './client.ts';
import { factsOfSnapshot } from './lines.ts';

export interface Entering {
  readonly control: RunControl;
  readonly catalogue: Pick<Catalogue, 'run'>;
  /** An index of all that the repository holds, where somebody has one. */
  readonly loaded: () => Promise<BlobIndex | undefined> | undefined;
  /** Told of the entries of a snapshot that were looked at so far. */
  readonly onProgress: (entries: number) => void;
  /** What the catalogue knows is another now. */
  readonly onEntered: () => void;
  /** Told of a snapshot that is left out. */
  readonly onNote: (error: unknown) => void;
}

/** Returns whether a snapshot may have been removed meanwhile. Throws `cancelled`, and what reading and writing throw. */
export async function enterNew(repository: Repository, entering: Entering): Promise<boolean> {
  const { control, catalogue, loaded, onEntered } = entering;
  const names = await repository.names('snapshot');
  const missing = await catalogue.run('reconcile', { repository: repository.config.id, snapshots: names });
  onEntered();
  const snapshots: Snapshot[] = [];
  for (const name of missing) {
    await control.checkpointAsync();
    const snapshot = await readSnapshot(repository, name);
    if (snapshot) snapshots.push(snapshot);
  }
  snapshots.sort((a, b) => Date.parse(b.time) - Date.parse(a.time));
  if (snapshots.length === 0) return false;
  const enterAll = async (reading: TreeReading): Promise<boolean> => {
    let isLost = false;
    for (const snapshot of snapshots) isLost = (await enter(repository, snapshot, reading, entering)) || isLost;
    if (!isLost) return false;
    const there = new Set(await repository.names('snapshot'));
    return snapshots.some((snapshot) => !there.has(snapshot.id));
  };
  return withTrees(repository, control, enterAll, await loaded());
}

/** Undefined: it was removed, or is damaged, which is for a check to tell. */
async function readSnapshot(repository: Repository, name: string): Promise<Snapshot | undefined> {
  try {
    return await repository.snapshot(name);
  } catch (error) {
    if (hasCode(error, 'file-not-found') || hasCode(error, 'item-tampered') || hasCode(error, 'snapshot-invalid')) return undefined;
    throw error;
  }
}

/** Whether some folder of it could not be read. */
async function enter(
  repository: Repository,
  snapshot: Snapshot,
  reading: TreeReading,
  { catalogue, onProgress, onEntered, onNote }: Entering,
): Promise<boolean> {
  const { id, chunker_polynomial: polynomial } = repository.config;
  const facts = factsOfSnapshot(snapshot);
  let isLost = false;
  const source = {
    read: async (trees: readonly Uint8Array[]) => {
      const listings = await reading.read(trees);
      isLost ||= listings.includes(undefined);
      return listings;
    },
  };
  reading.begin(snapshot);
  try {
    await catalogue.run('add', { repository: id, polynomial, facts }, { source, onProgress });
  } catch (error) {
    if (!hasCode(error, 'snapshot-too-large')) throw error;
    onNote(error);
    await catalogue.run('leaveOut', { repository: id, facts });
  }
  onEntered();
  return isLost;
}
