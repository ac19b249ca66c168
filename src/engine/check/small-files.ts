/** Checks of the small files: snapshots and keys. */
import { type HoldfastError, hasCode } from '../../contract/errors.ts';
import { sha256 } from '../../repository/ids.ts';
import { openItem } from '../../repository/item.ts';
import { parseKeyFile } from '../../repository/keys.ts';
import type { Repository } from '../../repository/repository.ts';
import { parseSnapshot, type Snapshot } from '../../repository/snapshot.ts';
import { isDamage } from '../trees/damage-codes.ts';
import type { Findings } from './finding.ts';

const parallelLoads = 16;

async function inParallel(names: readonly string[], work: (name: string) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < names.length) await work(names[next++]);
  };
  await Promise.all(Array.from({ length: Math.min(parallelLoads, names.length) }, worker));
}

const reasonOf = (error: HoldfastError): string => String(error.context.cause ?? error.message);

/** The snapshots among `names` that can be read, newest first. With `mayVanish` a missing one was forgotten meanwhile. */
export async function checkSnapshots(
  repository: Repository,
  names: readonly string[],
  mayVanish: boolean,
  findings: Findings,
): Promise<Snapshot[]> {
  const snapshots: Snapshot[] = [];
  await inParallel(names, async (name) => {
    try {
      const sealed = await repository.storage.load({ kind: 'snapshot', name });
      const snapshot = parseSnapshot(name, openItem(repository.sealer, sealed));
      snapshots.push(snapshot);
      if (sha256(sealed).toString('hex') === name) return;
      findings.add('error', 'snapshot-damaged', `The file of snapshot ${name.slice(0, 8)} holds another snapshot.`, { snapshot: name });
    } catch (error) {
      if (!isDamage(error)) throw error;
      if (mayVanish && hasCode(error, 'file-not-found')) return;
      findings.add('error', 'snapshot-damaged', `Snapshot ${name.slice(0, 8)} cannot be read: ${reasonOf(error)}`, { snapshot: name });
    }
  });
  return snapshots.sort((a, b) => Date.parse(b.time) - Date.parse(a.time) || (a.id < b.id ? -1 : 1));
}

/** Every key file is whole. Which password it needs stays unknown. */
export async function checkKeys(repository: Repository, findings: Findings): Promise<void> {
  await inParallel(await repository.names('key'), async (name) => {
    try {
      const bytes = await repository.storage.load({ kind: 'key', name });
      parseKeyFile(bytes);
      if (sha256(bytes).toString('hex') === name) return;
      findings.add(
        'error',
        'key-damaged',
        `Key ${name.slice(0, 8)} was changed after it was written; its password may not open the repository.`,
        { key: name },
      );
    } catch (error) {
      if (!isDamage(error)) throw error;
      findings.add('error', 'key-damaged', `Key ${name.slice(0, 8)} cannot be read: ${reasonOf(error)}`, { key: name });
    }
  });
}
