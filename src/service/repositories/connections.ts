/** Looks at places that are not connected, and remembers nothing of them. */
import type { ConnectionReport, FoundRepository } from '../../contract/connections.ts';
import { testConnection } from '../../engine/test-connection.ts';
import { Repository } from '../../repository/repository.ts';
import { credentialsOf } from '../../storage/credentials.ts';
import { storageFor } from '../destinations/open.ts';
import { placeOf } from '../destinations/destinations.ts';
import { computersOf } from '../library/library.ts';
import type { Common } from '../parts.ts';
import { errorOf } from '../runs/work.ts';
import { copyFolderName } from '../settings-copy/copy.ts';
import { findSettings } from '../settings-copy/recover.ts';

export type ConnectionsOptions = Pick<Common, 'state' | 'clock' | 'identity' | 'besides'>;

export interface PlaceWish {
  readonly place: string;
  readonly credentials: Readonly<Record<string, string>>;
}

/** Throws `request-invalid` for a place that cannot be meant. */
export async function testPlace(
  { state, clock, identity }: ConnectionsOptions,
  {
    place,
    credentials,
    ...wish
  }: PlaceWish & { readonly password?: string | undefined; readonly write: boolean; readonly create: boolean },
): Promise<ConnectionReport> {
  const report = await testConnection(placeOf(place), { ...wish, credentials: credentialsOf(credentials), clock, identity });
  const { repository, steps, error } = report;
  const connected = state.destinations().find((destination) => destination.repository === repository?.id);
  return {
    location: report.location,
    verdict: report.verdict,
    steps: steps.map((step) => ({ ...step, error: step.error ? errorOf(step.error) : null })),
    error: error ? errorOf(error) : null,
    repository: repository
      ? {
          id: repository.id ?? null,
          keys: repository.keys.map(({ username, hostname, created }) => ({ username, hostname, created })),
          isOwn: repository.isOwn ?? null,
          destination: connected?.name ?? null,
        }
      : null,
    isAppendOnly: report.isAppendOnly ?? null,
    answerMs: report.answerMs ?? null,
    clockSkewMs: report.clockSkewMs ?? null,
  };
}

/** Throws what opening throws. */
export function lookInto(
  { state, clock, identity, besides }: ConnectionsOptions,
  { place, credentials, password }: PlaceWish & { readonly password: string },
): Promise<FoundRepository> {
  return besides.run(async (control) => {
    const settings = (): ReturnType<typeof state.settings> => state.settings();
    const storage = await storageFor(placeOf(place), credentials, { clock, settings }, { signal: control.signal });
    try {
      const repository = await Repository.open(storage, password);
      let damaged = 0;
      const snapshots = await repository.snapshots(() => (damaged += 1));
      const views = snapshots.toReversed().map(({ hostname = '', username = '', time, paths }) => ({
        hostname,
        username,
        isOwn: hostname === identity.hostname && username === identity.username,
        time: Date.parse(time),
        paths: paths.filter((path) => path.split(/[\\/]/).at(-1) !== copyFolderName),
      }));
      const options = { control, clock, holder: { ...identity, pid: process.pid } };
      return {
        repository: repository.config.id,
        snapshots: snapshots.length,
        damaged,
        computers: computersOf(views).map((computer) => ({
          ...computer,
          // Of its newest snapshot.
          paths: views.find(({ hostname, username }) => hostname === computer.hostname && username === computer.username)!.paths,
        })),
        settings: (await findSettings(repository, options)).map(({ found }) => found),
        keys: (await repository.keys(() => {})).map(({ file: { username, hostname, created } }) => ({ username, hostname, created })),
      };
    } finally {
      await storage.close().catch(() => {});
    }
  });
}
