/**
 * Moves a destination's repository to another place.
 *
 * 1. every file is copied to the new place, and all of it is read there: until then the old place is the destination
 * 2. the destination's place is changed in the state: from then on the new one is it
 * 3. only if that is wanted, the old place is emptied, still under its lock
 *
 * Whatever ends it in between, the place in the state is a complete repository; run again, it goes on.
 */
import type { MoveRequest } from '../../contract/moves.ts';
import { fail, hasCode } from '../../contract/errors.ts';
import { executeMove } from '../../engine/move/move.ts';
import { counted, formatBytes } from '../../platform/sizes.ts';
import { Repository } from '../../repository/repository.ts';
import { refuseEmptyMountPoint } from '../../storage/mount-points.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Destinations } from '../destinations/destinations.ts';
import type { TaskJob } from '../runs/task.ts';
import type { Outcome } from '../runs/work.ts';
import type { Secrets } from '../secrets.ts';
import type { StateStore } from '../state/store.ts';
import { movingFrom, movingTo } from './moves.ts';

export interface DestinationMoving {
  readonly state: StateStore;
  readonly secrets: Secrets;
  readonly destinations: Pick<Destinations, 'open' | 'storageAt' | 'placed'>;
  /** The destination lies elsewhere now. */
  readonly onPlaced: (destination: string) => void;
}

type Request = Extract<MoveRequest, { what: 'destination' }>;

/** Throws what {@link executeMove} throws, and what opening throws. */
export async function moveDestination({ run, options, log }: TaskJob, request: Request, moving: DestinationMoving): Promise<Outcome> {
  const { state, secrets, destinations, onPlaced } = moving;
  const id = run.destination!;
  const { from, to, removeOld } = request;
  const isSwitched = state.destination(id).place === to;
  if (!isSwitched && state.destination(id).place !== from)
    return fail('request-invalid', { problem: 'the destination was given another place meanwhile' });
  // What a run that was cut off has put into the keychain before the state said the same, is taken back.
  const kept = await secrets.credentials(movingFrom(id));
  if (!isSwitched && Object.keys(kept).length > 0) await secrets.keepCredentials(id, kept);
  const toCredentials = await secrets.credentials(movingTo(id));
  const done = async (): Promise<Outcome> => {
    await secrets.keepCredentials(movingTo(id), {});
    await secrets.keepCredentials(movingFrom(id), {});
    return { change: { status: 'succeeded' }, problems: [] };
  };
  const switchOver = async (): Promise<void> => {
    if (state.destination(id).place === to) return;
    await secrets.keepCredentials(movingFrom(id), await secrets.credentials(id));
    await secrets.keepCredentials(id, toCredentials);
    await destinations.placed(id, to);
    onPlaced(id);
    log('info', `All of it was read at ${to} and is whole. From now on that is the destination.`);
  };
  const old = isSwitched ? await openOld(id, request, moving) : await destinations.open(id, { signal: options.control.signal });
  // Only what was wanted to go can be gone.
  if (!old) return done();
  let place: Storage | undefined;
  try {
    place = await destinations.storageAt(to, toCredentials, { signal: options.control.signal });
    if (!isSwitched) await refuseEmptyMountPoint(place);
    const result = await executeMove(old, place, {
      ...options,
      removeOld,
      onPlan: ({ files, bytes, presentFiles }) =>
        log(
          'info',
          `${counted(files, 'file')}, ${formatBytes(bytes)}; ${presentFiles === 0 ? 'none' : presentFiles} of them are there already.`,
        ),
      onDamaged: (file, error) => log('error', `${file}: ${error.message}`),
      onClean: switchOver,
    });
    if (result.check.errors > 0) {
      for (const { message } of result.check.findings.slice(0, 20)) log('error', message);
      return fail('move-stopped', { location: from, problem: `the check of ${to} found damage there` });
    }
    log(
      'info',
      result.isOldRemoved
        ? `The old place ${from} holds the repository no more.`
        : `The old place ${from} still holds everything as it was; nothing is written there any more.`,
    );
    return await done();
  } finally {
    await place?.close().catch(() => {});
    await old.storage.close().catch(() => {});
  }
}

/** The old place after the switch; undefined when nothing is left to do there. */
async function openOld(
  id: string,
  { from, removeOld }: Request,
  { state, secrets, destinations }: DestinationMoving,
): Promise<Repository | undefined> {
  if (!removeOld) return undefined;
  const { repository: wanted } = state.destination(id);
  const storage = await destinations.storageAt(from, await secrets.credentials(movingFrom(id)));
  try {
    const repository = await Repository.open(storage, await secrets.password(wanted, storage.location));
    if (repository.config.id === wanted) return repository;
    await storage.close().catch(() => {});
    return undefined;
  } catch (error) {
    await storage.close().catch(() => {});
    // The removal had come as far as its config.
    if (hasCode(error, 'repository-not-found')) return undefined;
    throw error;
  }
}
