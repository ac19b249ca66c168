/** Which drives are plugged in, as far as destinations are concerned. */
import { existsSync } from 'node:fs';
import { join, parse } from 'node:path';
import type { Destination, VolumePlace } from '../../contract/destination.ts';
import type { MountedDrive } from '../../contract/drive.ts';
import type { Clock } from '../../platform/clock.ts';
import { type DriveEvent, liesOn, watchDrives } from '../../platform/drives/drives.ts';
import type { Drives } from '../../platform/drives/volume.ts';
import { kindOf } from '../../storage/place.ts';

/** For the first listing. */
const longestWaitMs = 3000;

export interface PluggedDrivesOptions {
  readonly clock: Clock;
  readonly drives: Drives;
  readonly onArrived: (uuid: string) => void;
  readonly onLeft: (uuid: string) => void;
}

export class PluggedDrives {
  readonly #options: PluggedDrivesOptions;
  /** How often each UUID is there: a drive and its clone have one. */
  readonly #there = new Map<string, number>();
  readonly #stop = new AbortController();
  #watching: Promise<void> = Promise.resolve();

  constructor(options: PluggedDrivesOptions) {
    this.#options = options;
  }

  /** Resolves when it is known what is there, or soon, where that cannot be known; what comes and goes from then on is told. */
  async begin(): Promise<void> {
    const { clock, drives } = this.#options;
    const listed = Promise.withResolvers<void>();
    let isFirst = true;
    const take = (event: DriveEvent): void => this.#take(event, isFirst);
    this.#watching = watchDrives(clock, drives, take, this.#stop.signal, () => {
      isFirst = false;
      listed.resolve();
    });
    const stop = new AbortController();
    await Promise.race([listed.promise, clock.sleep(longestWaitMs, stop.signal).catch(() => {})]);
    stop.abort();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
  }

  /** The volumes that are mounted now. */
  async mounted(): Promise<MountedDrive[]> {
    const volumes = await this.#options.drives.list();
    return volumes.map(({ device: _device, uuid = null, space = null, ...volume }) => ({ ...volume, uuid, space }));
  }

  /** As far as can be told without trying. */
  isThere({ place, volume }: Destination): boolean {
    if (kindOf(place)) return true;
    return volume ? this.#there.has(volume.uuid) : existsSync(place);
  }

  /** Where its repository lies now; undefined when its drive is not plugged in. Whoever opens it looks at the repository's ID, too. */
  async locate({ place, volume }: Destination): Promise<string | undefined> {
    if (!volume) return place;
    const { drives } = this.#options;
    if (existsSync(join(place, 'config')) && (await liesOn(drives, place, volume.uuid).catch(() => false))) return place;
    const places = await drives.locate(volume).catch(() => []);
    return places.find((each) => existsSync(join(each, 'config')));
  }

  /** Of a folder on another file system than the system's own that has a UUID: it may be mounted elsewhere, or not at all. */
  async volumeOf(folder: string): Promise<VolumePlace | undefined> {
    try {
      const { volume, pathWithin } = await this.#options.drives.identify(folder);
      const isSystems = volume.mountPoint === parse(folder).root;
      return isSystems || volume.isNetwork || volume.uuid === undefined ? undefined : { uuid: volume.uuid, pathWithin };
    } catch {
      return undefined;
    }
  }

  /** Returns the name of the drive that can be unplugged now; undefined when there was none. Throws `drive-busy`, `drive-not-ejected`. */
  async eject(destination: Destination): Promise<string | undefined> {
    const { drives } = this.#options;
    const folder = destination.volume && (await this.locate(destination));
    if (folder === undefined) return undefined;
    const { volume } = await drives.identify(folder);
    await drives.eject(volume, this.#stop.signal);
    return volume.name || volume.mountPoint;
  }

  #take({ kind, volume: { uuid } }: DriveEvent, isFirst: boolean): void {
    if (uuid === undefined || kind === 'changed') return;
    const before = this.#there.get(uuid) ?? 0;
    const now = kind === 'arrived' ? before + 1 : before - 1;
    if (now > 0) this.#there.set(uuid, now);
    else this.#there.delete(uuid);
    if (before === 0 && !isFirst) this.#options.onArrived(uuid);
    if (now === 0) this.#options.onLeft(uuid);
  }
}
