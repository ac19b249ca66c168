/** What a new service does with one that has lost its host: it ends it, politely, and takes its place. */
import { hasCode } from '../../contract/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Profile } from '../profile.ts';
import { attach } from '../rpc/client.ts';

const betweenTriesMs = 200;
/** For the runs at work to be interrupted. */
const tries = 150;

export interface TakeOverOptions {
  readonly profile: Profile;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly onNote?: ((text: string) => void) | undefined;
}

/**
 * `start`, and once more when it throws `service-running` and nobody watches the service that runs. Throws what `start` throws.
 */
export async function takingOver<T>({ profile, clock, onNote = () => {} }: TakeOverOptions, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    if (!hasCode(error, 'service-running') || !(await endUnwatched(profile, onNote))) throw error;
  }
  for (let left = tries; ; left--) {
    try {
      return await start();
    } catch (error) {
      if (!hasCode(error, 'service-running') || left === 0) throw error;
    }
    await clock.sleep(betweenTriesMs);
  }
}

/** False when there is none, when it is watched, and when it does not say. */
async function endUnwatched(profile: Profile, onNote: (text: string) => void): Promise<boolean> {
  const running = await attach(profile).catch(() => undefined);
  if (!running) return false;
  try {
    const { isWatched, pid } = await running.client.service.info();
    if (isWatched) return false;
    onNote(`The service that runs (process ${pid}) has lost its host. It is ended, and this one takes over.`);
    // It may end before its answer has come.
    await running.client.service.stop().catch(() => {});
    await running.closed;
    return true;
  } catch {
    return false;
  } finally {
    running.close();
  }
}
