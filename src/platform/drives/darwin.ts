/**
 * {@link Drives} on macOS: mount(8) for what is mounted, diskutil(8) for what it is. Tested with recorded output of both, never yet on
 * a Mac.
 */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { posix, resolve } from 'node:path';
import { promisify } from 'node:util';
import { fail, HoldfastError } from '../../contract/errors.ts';
import { unlessCancelled } from '../cancellation.ts';
import { existingPart, innermost, isWithin, onNoVolume, spaceAt } from './paths.ts';
import type { Drives, PlaceWithin, Space, Volume } from './volume.ts';

/** How programs are called; another for tests. */
export type Run = (program: string, args: readonly string[]) => Promise<string>;

const run: Run = async (program, args) => (await promisify(execFile)(program, [...args], { maxBuffer: 1 << 26 })).stdout;

const network = /^(smbfs|nfs|afpfs|webdav|ftp|cifs|macfuse|osxfuse|fusefs)$/;

const dataVolume = '/System/Volumes/Data';

interface MountLine {
  readonly device: string;
  readonly mountPoint: string;
  readonly fileSystem: string;
  readonly options: readonly string[];
}

/** The lines of mount(8): `DEVICE on MOUNT POINT (TYPE, OPTION, …)`. */
export function parseMounts(text: string): MountLine[] {
  const mounts: MountLine[] = [];
  for (const line of text.split('\n')) {
    const match = /^(.*?) on (\/.*) \(([^()]*)\)$/.exec(line);
    if (!match) continue;
    const [, device, mountPoint, words] = match as unknown as [string, string, string, string];
    const [fileSystem = '', ...options] = words.split(', ');
    mounts.push({ device, mountPoint, fileSystem, options });
  }
  return mounts;
}

/** What `diskutil info -all` says of each device, by its node (`/dev/disk2s1`): names of fields to values. */
export function parseDiskutil(text: string): Map<string, Map<string, string>> {
  const devices = new Map<string, Map<string, string>>();
  for (const block of text.split(/^\*{5,}$/m)) {
    const fields = new Map<string, string>();
    for (const line of block.split('\n')) {
      // The name is never longer than the column, and the value may hold colons.
      const match = /^\s*([^:]+):\s*(.*)$/.exec(line);
      if (match) fields.set(match[1] as string, (match[2] as string).trim());
    }
    const node = fields.get('Device Node');
    if (node) devices.set(node, fields);
  }
  return devices;
}

export class DarwinDrives implements Drives {
  readonly #run: Run;

  constructor(runProgram: Run = run) {
    this.#run = runProgram;
  }

  /** What the Finder does not show is the system's own. */
  async list(): Promise<Volume[]> {
    return this.#volumes(({ options }) => !options.includes('nobrowse'));
  }

  /** diskutil would wake sleeping disks: what is mounted shows in /Volumes. */
  async fingerprint(): Promise<string> {
    return (await readdir('/Volumes')).sort().join('\n');
  }

  async identify(path: string): Promise<{ volume: Volume; pathWithin: string }> {
    const { real, missing } = await existingPart(resolve(path));
    const full = posix.join(real, missing);
    const all = await this.#volumes();
    const named = innermost(all, full, posix);
    // What seems to lie on the sealed volume of the system lies on another one, which is laid over it.
    const volume = (named?.mountPoint === '/' && all.find(({ mountPoint }) => mountPoint === dataVolume)) || named;
    if (!volume) throw onNoVolume(full);
    if (volume !== named) return { volume, pathWithin: full.slice(1) };
    return { volume, pathWithin: posix.relative(volume.mountPoint, full) };
  }

  async locate({ uuid, pathWithin }: PlaceWithin): Promise<string[]> {
    return (await this.#volumes())
      .filter((volume) => volume.uuid === uuid)
      .map(({ mountPoint }) => posix.join(mountPoint, posix.join('/', pathWithin)));
  }

  space(path: string): Promise<Space> {
    return spaceAt(path);
  }

  async emptyMountPoint(path: string): Promise<string | undefined> {
    const { real, missing } = await existingPart(resolve(path));
    const [point] = /^\/Volumes\/[^/]+/.exec(posix.join(real, missing)) ?? [];
    if (point === undefined) return undefined;
    return parseMounts(await this.#run('/sbin/mount', [])).some(({ mountPoint }) => isWithin(mountPoint, point, posix)) ? undefined : point;
  }

  async #volumes(shown: (mount: MountLine) => boolean = () => true): Promise<Volume[]> {
    const [mounted, known] = await Promise.all([this.#run('/sbin/mount', []), this.#run('/usr/sbin/diskutil', ['info', '-all'])]);
    const devices = parseDiskutil(known);
    const mounts = parseMounts(mounted).filter(({ device, fileSystem }) => device.startsWith('/dev/') || network.test(fileSystem));
    return Promise.all(mounts.filter(shown).map((mount) => volumeOf(mount, devices.get(mount.device))));
  }

  async eject(volume: Volume, signal?: AbortSignal): Promise<void> {
    const name = volume.name || volume.mountPoint;
    try {
      await unlessCancelled(this.#run('/bin/sync', []), signal);
      // Of a share there is no device to eject.
      await unlessCancelled(this.#run('/usr/sbin/diskutil', [volume.isNetwork ? 'unmount' : 'eject', volume.mountPoint]), signal);
    } catch (error) {
      if (error instanceof HoldfastError) throw error;
      const { stderr = '', stdout = '', message } = error as Error & { stderr?: string; stdout?: string };
      const cause = (stderr.trim() || stdout.trim() || message).split('\n')[0] as string;
      const dissenter = /dissented by PID (\d+) \(([^)]*)\)/.exec(`${stderr}${stdout}`);
      if (dissenter) return fail('drive-busy', { name, programs: [`${dissenter[2]} (${dissenter[1]})`] }, error);
      if (/busy|in use|couldn't be unmounted/i.test(cause)) return fail('drive-busy', { name }, error);
      return fail('drive-not-ejected', { name, cause }, error);
    }
  }
}

async function volumeOf(mount: MountLine, facts: ReadonlyMap<string, string> | undefined): Promise<Volume> {
  const isNetwork = network.test(mount.fileSystem);
  const name = facts?.get('Volume Name') ?? '';
  return {
    mountPoint: mount.mountPoint,
    device: mount.device,
    name: name.startsWith('Not applicable') ? '' : name,
    fileSystem: mount.fileSystem,
    uuid: facts?.get('Volume UUID'),
    root: '/',
    space: isNetwork ? undefined : await spaceAt(mount.mountPoint).catch(() => undefined),
    isRemovable: facts?.get('Removable Media') === 'Removable' || facts?.get('Device Location') === 'External',
    isReadOnly: mount.options.includes('read-only'),
    isNetwork,
  };
}
