/** The destinations of a profile: connecting them, how they are, and forgetting them. */
import { randomBytes, randomUUID } from 'node:crypto';
import { statfsSync } from 'node:fs';
import { basename, isAbsolute, normalize } from 'node:path';
import type { Connection, Destination, DestinationState, DestinationView, VolumePlace } from '../../contract/destination.ts';
import { connectionSchema, thisComputer } from '../../contract/destination.ts';
import { fail, hasCode, type HoldfastError, toHoldfastError } from '../../contract/errors.ts';
import type { HostIdentity } from '../../platform/host.ts';
import { Repository } from '../../repository/repository.ts';
import { refuseEmptyMountPoint } from '../../storage/mount-points.ts';
import { kindOf } from '../../storage/place.ts';
import type { Storage } from '../../storage/storage.ts';
import { changePassword, type PasswordChange } from '../repositories/change-password.ts';
import type { StateStore } from '../state/store.ts';
import { CircuitBreaker } from './breaker.ts';
import { openDestination, type OpenHow, storageFor, type Surroundings } from './open.ts';

export interface DestinationsOptions extends Surroundings {
  readonly state: StateStore;
  readonly identity: HostIdentity;
  /** The folder for a repository on this computer. */
  readonly ownPlace: string;
  /** Where a folder lies on a volume that may be mounted elsewhere; undefined for one on the system's own. */
  readonly volumeOf: (folder: string) => Promise<VolumePlace | undefined>;
  /** Told when a destination, or what is known of it, has changed. */
  readonly onChange: (view: DestinationView) => void;
  /** What is stored of the destinations has changed. */
  readonly onStored: () => void;
  readonly onRemoved: (id: string) => void;
  readonly onDefect?: ((error: unknown) => void) | undefined;
}

export class Destinations {
  /** To be asked by whoever opens a destination without a person having asked for it. */
  readonly breaker: CircuitBreaker;
  readonly #options: DestinationsOptions;
  readonly #now = new Map<string, DestinationState>();
  /** One is connected after the other: each looks at those that are there. */
  #connecting: Promise<unknown> = Promise.resolve();

  constructor(options: DestinationsOptions) {
    this.#options = options;
    this.breaker = new CircuitBreaker({ clock: options.clock, memory: options.state, onDefect: options.onDefect });
  }

  views(): DestinationView[] {
    return this.#options.state.destinations().map((destination) => this.#viewOf(destination));
  }

  /**
   * Opens the repository at a place, or makes one with the cutting rule of the first, tries that its password fits, and remembers all of it.
   * Throws `request-invalid` for a relative folder and a place with a password in it, `destination-known`, and what opening and making throw.
   */
  connect(connection: Connection): Promise<DestinationView> {
    const done = this.#connecting.catch(() => {}).then(() => this.#connect(connection));
    this.#connecting = done;
    return done;
  }

  /** Makes the one in the folder of this profile, unless it is there. Throws what making throws. */
  async makeOnThisComputer(): Promise<void> {
    const { state, ownPlace } = this.#options;
    const connection = { name: 'This computer', place: ownPlace, password: randomBytes(32).toString('base64url'), create: true };
    const done = this.#connecting
      .catch(() => {})
      .then(async () => {
        if (!state.destinations().some(({ id }) => id === thisComputer)) await this.#connect(connection, thisComputer);
      });
    this.#connecting = done;
    await done;
  }

  async #connect(connection: Connection, id: string = randomUUID()): Promise<DestinationView> {
    const { place: said, password, credentials, create, name, ejectAfterRun } = connectionSchema.parse(connection);
    const { state, secrets, identity, clock } = this.#options;
    const place = placeOf(said);
    // Before a repository is made that could not be opened afterwards, and would be in the way of the next attempt.
    await secrets.ready();
    const storage = await storageFor(place, credentials, this.#options);
    try {
      const repository = await this.#openOrMake(storage, password, create, identity, clock);
      const { id: repositoryId, chunker_polynomial: polynomial } = repository.config;
      const known = state.destinations().find((destination) => destination.repository === repositoryId);
      if (known) return fail('destination-known', { name: known.name });
      const volume = storage.localPath ? await this.#options.volumeOf(place) : undefined;
      const destination: Destination = {
        id,
        name: name ?? nameFor(storage.location),
        place,
        ...(volume ? { volume } : {}),
        repository: repositoryId,
        polynomial,
        ejectAfterRun,
      };
      // Secrets first: a destination that cannot be opened any more would be worse than a secret that nobody needs.
      await secrets.keepPassword(repositoryId, password);
      await secrets.keepCredentials(destination.id, credentials);
      this.#save(destination);
      return this.#tell(destination, this.#connected(storage));
    } finally {
      await storage.close().catch(() => {});
    }
  }

  rename(id: string, name: string): DestinationView {
    const destination = { ...this.#options.state.destination(id), name };
    this.#save(destination);
    return this.#tell(destination);
  }

  /** Tries the new secrets, and the place to which its repository was moved, then keeps them. Throws what opening throws. */
  async renew(
    id: string,
    renewed: { password?: string | undefined; credentials?: Record<string, string> | undefined; place?: string | undefined },
  ): Promise<DestinationView> {
    const { state, secrets } = this.#options;
    const destination = state.destination(id);
    const credentials = renewed.credentials ?? (await secrets.credentials(id));
    const moved = renewed.place === undefined ? undefined : placeOf(renewed.place);
    const place = moved ?? (await this.#options.locate(destination)) ?? fail('destination-not-plugged-in', { name: destination.name });
    const storage = await storageFor(place, credentials, this.#options);
    try {
      const password = renewed.password ?? (await secrets.password(destination.repository, storage.location));
      const repository = await Repository.open(storage, password);
      if (repository.config.id !== destination.repository)
        return fail('destination-swapped', { name: destination.name, location: storage.location });
      if (renewed.password !== undefined) await secrets.keepPassword(destination.repository, password);
      if (renewed.credentials !== undefined) await secrets.keepCredentials(id, credentials);
      this.breaker.reset(id);
      if (moved === undefined) return this.#tell(destination, this.#connected(storage));
      const { volume: _, ...rest } = destination;
      const volume = storage.localPath ? await this.#options.volumeOf(moved) : undefined;
      const there: Destination = { ...rest, place: moved, ...(volume ? { volume } : {}) };
      this.#save(there);
      return this.#tell(there, this.#connected(storage));
    } finally {
      await storage.close().catch(() => {});
    }
  }

  /** A storage at another place, not opened yet. */
  storageAt(place: string, credentials: Readonly<Record<string, string>>, how?: OpenHow): Promise<Storage> {
    return storageFor(placeOf(place), credentials, this.#options, how);
  }

  /** Its repository was moved, and lies at `place` now. Throws `destination-not-found`, `state-failed`. */
  async placed(id: string, place: string): Promise<DestinationView> {
    const volume = kindOf(place) ? undefined : await this.#options.volumeOf(place);
    const { volume: _, ...rest } = this.#options.state.destination(id);
    const there: Destination = { ...rest, place, ...(volume ? { volume } : {}) };
    this.#save(there);
    return this.#tell(there, { state: 'connected', at: this.#options.clock.now() });
  }

  /** Throws `wrong-password`, and what opening throws. */
  async tryPassword(id: string, password: string): Promise<void> {
    await this.#opened(id, password, async () => {});
  }

  /** See change-password.ts. `old` need not be the one that is kept. Throws also `wrong-password`, and what opening throws. */
  changePassword(id: string, old: string, password: string): Promise<PasswordChange> {
    const { state, secrets, identity, clock } = this.#options;
    const keep = (): Promise<void> => secrets.keepPassword(state.destination(id).repository, password);
    return this.#opened(id, old, (repository) => changePassword(repository, password, { identity, clock, keep }));
  }

  /** Of the credentials that open the place. */
  async credentialNames(id: string): Promise<string[]> {
    return Object.keys(await this.#options.secrets.credentials(id)).sort();
  }

  /** Opens the repository with a password that is given. */
  async #opened<T>(id: string, password: string, use: (repository: Repository) => Promise<T>): Promise<T> {
    const { state, secrets, locate } = this.#options;
    const destination = state.destination(id);
    const place = (await locate(destination)) ?? fail('destination-not-plugged-in', { name: destination.name });
    const storage = await storageFor(place, await secrets.credentials(id), this.#options);
    try {
      const repository = await Repository.open(storage, password);
      if (repository.config.id !== destination.repository)
        return fail('destination-swapped', { name: destination.name, location: storage.location });
      return await use(repository);
    } finally {
      await storage.close().catch(() => {});
    }
  }

  /** Forgets a destination; what it holds stays. Throws `destination-in-use`. */
  async remove(id: string): Promise<void> {
    const { state, secrets, onStored, onRemoved } = this.#options;
    const destination = state.destination(id);
    const users = state.plans().filter(({ destinations }) => destinations.some((each) => each.destination === id));
    if (users.length > 0) fail('destination-in-use', { name: destination.name, plans: users.map(({ name }) => `“${name}”`).join(', ') });
    state.removeDestination(id);
    this.#now.delete(id);
    this.breaker.reset(id);
    onStored();
    onRemoved(id);
    await secrets.forget(id, destination.repository, !state.destinations().some(({ repository }) => repository === destination.repository));
  }

  /** Opens it for a run. How that went is remembered. Throws what opening throws. */
  async open(id: string, how?: OpenHow): Promise<Repository> {
    const destination = this.#options.state.destination(id);
    this.breaker.tries(id);
    try {
      const repository = await openDestination(destination, this.#options, how);
      this.breaker.answered(id);
      this.#tell(destination, this.#connected(repository.storage));
      return repository;
    } catch (error) {
      this.failed(id, toHoldfastError(error));
      throw error;
    }
  }

  /** Asks a destination how it is. Throws `destination-not-found` alone. */
  async look(id: string): Promise<DestinationView> {
    const destination = this.#options.state.destination(id);
    const repository = await this.open(id).catch(() => undefined);
    await repository?.storage.close().catch(() => {});
    return this.#viewOf(destination);
  }

  /** A run has learned that the destination cannot be used. */
  failed(id: string, error: HoldfastError): void {
    const { state, clock } = this.#options;
    const destination = state.destinations().find((each) => each.id === id);
    if (!destination || hasCode(error, 'cancelled')) return this.breaker.leftAlone(id);
    this.breaker.failed(id);
    const before = this.#now.get(id);
    const { code, message, guidance } = error;
    const kind = code === 'destination-not-plugged-in' ? 'not-plugged-in' : 'failing';
    const since = before?.state === kind ? before.since : clock.now();
    this.#tell(destination, kind === 'failing' ? { state: kind, since, code, message, guidance } : { state: kind, since });
  }

  /** Its drive has come or gone: as yet nothing else is known of it. */
  moved(id: string, isThere: boolean): void {
    const { state, clock } = this.#options;
    const destination = state.destinations().find((each) => each.id === id);
    this.breaker.reset(id);
    if (destination) this.#tell(destination, isThere ? { state: 'unknown' } : { state: 'not-plugged-in', since: clock.now() });
  }

  async #openOrMake(
    storage: Storage,
    password: string,
    create: boolean,
    identity: HostIdentity,
    clock: Surroundings['clock'],
  ): Promise<Repository> {
    try {
      return await Repository.open(storage, password);
    } catch (error) {
      if (!create || !hasCode(error, 'repository-not-found')) throw error;
    }
    await refuseEmptyMountPoint(storage);
    // All repositories of a person cut files alike, so that copies move only what is missing and one heals another.
    const polynomial = this.#options.state.destinations()[0]?.polynomial;
    return Repository.init(storage, password, identity, clock, { polynomial });
  }

  #connected(storage: Storage): DestinationState {
    const at = this.#options.clock.now();
    const folder = storage.localPath?.({ kind: 'config', name: '' });
    const freeBytes = folder === undefined ? undefined : freeBytesAt(storage.location);
    return freeBytes === undefined ? { state: 'connected', at } : { state: 'connected', at, freeBytes };
  }

  #save(destination: Destination): void {
    this.#options.state.saveDestination(destination);
    this.#options.onStored();
  }

  #viewOf(destination: Destination): DestinationView {
    const [first] = this.#options.state.destinations();
    const sharesBlobs = first === undefined || first.polynomial === destination.polynomial;
    return { ...destination, sharesBlobs, now: this.#now.get(destination.id) ?? { state: 'unknown' } };
  }

  #tell(destination: Destination, now?: DestinationState): DestinationView {
    if (now) this.#now.set(destination.id, now);
    const view = this.#viewOf(destination);
    this.#options.onChange(view);
    return view;
  }
}

/** A place without what must not be stored. Throws `request-invalid`. */
export function placeOf(said: string): string {
  const found = kindOf(said);
  if (!found || found.kind === 'local') {
    const folder = found?.address ?? said;
    if (!isAbsolute(folder)) return fail('request-invalid', { problem: `the folder ${folder} is not named from the root of its disk` });
    return normalize(folder);
  }
  // `https://name:password@server/`, and rclone's `:sftp,pass=…:`.
  if (/\/\/[^/@]*:[^/@]*@/.test(said) || (found.kind === 'rclone' && /,[^:]*pass/i.test(said)))
    return fail('request-invalid', { problem: 'the place holds a password, which belongs to the credentials' });
  return said;
}

const nameFor = (location: string): string => basename(location.replace(/[\\/]+$/, '')).slice(0, 200) || location.slice(0, 200);

function freeBytesAt(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
