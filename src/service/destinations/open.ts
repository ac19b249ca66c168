/** Opens the repository of a destination for a run, with its secrets, and makes sure that it is the right one. */
import { existsSync } from 'node:fs';
import { type Destination, thisComputer } from '../../contract/destination.ts';
import { fail, hasCode } from '../../contract/errors.ts';
import type { Settings } from '../../contract/settings.ts';
import type { Clock } from '../../platform/clock.ts';
import { farPackSize } from '../../repository/pack.ts';
import { Repository } from '../../repository/repository.ts';
import { CachedStorage } from '../../storage/cache/cached.ts';
import { KeepingRoomStorage } from '../../storage/keeping-room.ts';
import { credentialsOf } from '../../storage/credentials.ts';
import { kindOf, openPlace } from '../../storage/place.ts';
import { pacesOf } from '../../storage/rates.ts';
import { networkRetryLimits, type Retry, RetryingStorage } from '../../storage/retrying.ts';
import type { Storage } from '../../storage/storage.ts';
import { VigilantStorage } from '../../storage/vigilant.ts';
import type { Secrets } from '../secrets.ts';
import type { OpenedKeys } from './opened-keys.ts';

export interface Surroundings {
  readonly clock: Clock;
  readonly secrets: Secrets;
  readonly openedKeys: OpenedKeys;
  readonly settings: () => Settings;
  /** Where copies of what far repositories hold are kept. */
  readonly cacheFolder: string;
  /** Where a place lies now: a drive may be mounted elsewhere than last time. Undefined: it is not plugged in. */
  readonly locate: (destination: Destination) => Promise<string | undefined>;
}

/** Where another destination can take over: it is to be at work within half a minute. */
const limitsWithStandby = { ...networkRetryLimits, longestWaitMs: 4_000, totalWaitMs: 12_000 };

export interface OpenHow {
  readonly signal?: AbortSignal | undefined;
  readonly onRetry?: ((retry: Retry) => void) | undefined;
  readonly onNote?: ((text: string) => void) | undefined;
  /** Another destination can be used instead, or another time: this one is not waited for long. */
  readonly hasStandby?: boolean | undefined;
  /** What the repository itself holds counts: nothing is taken from what this computer keeps of it. */
  readonly itself?: boolean | undefined;
}

/** A storage at a place, tried again where a network is in between. Nothing is asked yet. */
export async function storageFor(
  place: string,
  credentials: Readonly<Record<string, string>>,
  { clock, settings }: Pick<Surroundings, 'clock' | 'settings'>,
  { signal, onRetry, onNote, hasStandby }: OpenHow = {},
): Promise<Storage> {
  const { limitUpload, limitDownload } = settings();
  const paces = pacesOf({ limitUpload: limitUpload ?? undefined, limitDownload: limitDownload ?? undefined }, clock);
  const storage = await openPlace(place, { credentials: credentialsOf(credentials), clock, paces, onNote });
  if (storage.localPath) return storage;
  const patient = new RetryingStorage(storage, {
    clock,
    limits: hasStandby ? limitsWithStandby : networkRetryLimits,
    ...(signal ? { signal } : {}),
    ...(onRetry ? { onRetry } : {}),
  });
  return hasStandby ? new VigilantStorage(patient, { clock, asked: storage }) : patient;
}

/**
 * The destination's repository; whoever calls closes its storage. Throws `destination-not-plugged-in`, `destination-swapped` when another
 * repository lies there, `password-missing`, and what opening throws.
 */
export async function openDestination(destination: Destination, surroundings: Surroundings, how: OpenHow = {}): Promise<Repository> {
  const { clock, secrets, openedKeys, cacheFolder, locate } = surroundings;
  const { id, name, repository: wanted } = destination;
  const place = (await locate(destination)) ?? fail('destination-not-plugged-in', { name });
  const opened = await storageFor(place, await secrets.credentials(id), surroundings, how);
  const itself = id === thisComputer ? new KeepingRoomStorage(opened) : opened;
  const cached = itself.localPath || how.itself ? undefined : new CachedStorage(itself, { folder: cacheFolder, clock });
  const storage: Storage = cached ?? itself;
  try {
    const password = await secrets.password(wanted, storage.location);
    const repository = await Repository.open(storage, password, {
      ...(cached ? { readAhead: { listing: true, locks: true }, keyMemory: cached } : {}),
      opened: openedKeys.of(wanted, password),
    });
    if (repository.config.id !== wanted) return fail('destination-swapped', { name, location: storage.location });
    openedKeys.keep(repository, password);
    if (!storage.localPath) repository.packSize = farPackSize;
    return repository;
  } catch (error) {
    await storage.close().catch(() => {});
    // A folder that is not there, or is the stub that an unmounted drive leaves, is calm news.
    if (hasCode(error, 'repository-not-found') && !kindOf(place) && !existsSync(place))
      return fail('destination-not-plugged-in', { name }, error);
    throw error;
  }
}
