/** {@link Drives} on Linux, from /proc/self/mountinfo, udev's database and sysfs: no process is started where udev runs. */
import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join, posix, relative, resolve } from 'node:path';
import { LinuxDevices, type LinuxRoots, systemRoots } from './linux-devices.ts';
import { ejectLinux } from './linux-eject.ts';
import { type Mount, parseMountinfo } from './mountinfo.ts';
import { existingPart, isWithin, onNoVolume, spaceAt } from './paths.ts';
import type { Drives, PlaceWithin, Space, Volume } from './volume.ts';

/** File systems whose files lie on another computer. */
const network =
  /^(nfs|nfs4|cifs|smb3|smbfs|ncpfs|afs|ceph|glusterfs|lustre|9p|davfs|fuse\.(sshfs|rclone|davfs|davfs2|s3fs|gcsfuse|curlftpfs|glusterfs|smbnetfs|ceph|juicefs|cephfs))$/;
/** Shared by the computer that this one runs on as a guest; as far away as a server as far as waiting goes. */
const ofHost = /^(vboxsf|virtiofs|fuse\.vmhgfs-fuse)$/;
/** File systems in one file that cannot be written to: what programs (snaps, AppImages) are delivered in. */
const packaged = /^(squashfs|erofs)$/;

/** fcntl.h: opens a path without reading anything, so that no permission to read is needed. Node does not name it. */
const O_PATH = 0o10000000;

export class LinuxDrives implements Drives {
  readonly #roots: LinuxRoots;
  readonly #devices: LinuxDevices;

  constructor(roots: LinuxRoots = systemRoots) {
    this.#roots = roots;
    this.#devices = new LinuxDevices(roots);
  }

  async list(): Promise<Volume[]> {
    const mounts = await this.#mounts();
    const shown = new Map<string, Mount>();
    for (const mount of mounts) {
      if (!isDrive(mount) || !(await this.#devices.isThere(mount))) continue;
      const key = `${mount.device} ${mount.source}`;
      const other = shown.get(key);
      // The widest view of it that is to be seen, and of equal ones the first.
      if ((!other || mount.root.length < other.root.length) && (isFar(mount) || (await this.#isSeen(mount)))) shown.set(key, mount);
    }
    return Promise.all([...shown.values()].map((mount) => this.#volume(mount)));
  }

  async fingerprint(): Promise<string> {
    const bytes = await readFile(join(this.#roots.proc, 'self/mountinfo'));
    const gone: number[] = [];
    for (const mount of parseMountinfo(bytes)) if (isDrive(mount) && !(await this.#devices.isThere(mount))) gone.push(mount.id);
    return `${bytes.toString('latin1')}${gone.join(' ')}`;
  }

  async identify(path: string): Promise<{ volume: Volume; pathWithin: string }> {
    const { real, missing } = await existingPart(resolve(path));
    const id = await this.#mountIdOf(real);
    const mount = (await this.#mounts()).find((each) => each.id === id);
    if (!mount) throw onNoVolume(real);
    return { volume: await this.#volume(mount), pathWithin: join(mount.root, relative(mount.mountPoint, real), missing).slice(1) };
  }

  async locate({ uuid, pathWithin }: PlaceWithin): Promise<string[]> {
    const found: string[] = [];
    const wanted = join('/', pathWithin);
    for (const mount of await this.#mounts()) {
      if (!isWithin(wanted, mount.root, posix) || !isBacked(mount) || !(await this.#devices.isThere(mount))) continue;
      const facts = await this.#devices.facts(mount.source, mount.device);
      if (facts.uuid !== uuid) continue;
      if (await this.#isSeen(mount)) found.push(join(mount.mountPoint, relative(mount.root, wanted)));
    }
    return found;
  }

  space(path: string): Promise<Space> {
    return spaceAt(path);
  }

  async emptyMountPoint(path: string): Promise<string | undefined> {
    const { real, missing } = await existingPart(resolve(path));
    const full = join(real, missing);
    const { volume } = await this.identify(full);
    const named = (await this.#mountPointsOfFstab()).find((each) => each !== '/' && isWithin(full, each, posix));
    if (named !== undefined && !isWithin(volume.mountPoint, named, posix)) return named;
    // Where desktops mount what is plugged in (udisks): /media/PERSON/LABEL, /run/media/PERSON/LABEL.
    const [point, above] = /^((?:\/run)?\/media)\/[^/]+\/[^/]+/.exec(full) ?? [];
    return above !== undefined && (volume.mountPoint === above || !isWithin(volume.mountPoint, above, posix)) ? point : undefined;
  }

  eject(volume: Volume, signal?: AbortSignal): Promise<void> {
    return ejectLinux(volume, this.#roots.proc, signal);
  }

  async #mounts(): Promise<Mount[]> {
    return parseMountinfo(await readFile(join(this.#roots.proc, 'self/mountinfo')));
  }

  async #volume(mount: Mount): Promise<Volume> {
    const isNetwork = isFar(mount);
    const facts = isBacked(mount) ? await this.#devices.facts(mount.source, mount.device) : undefined;
    return {
      mountPoint: mount.mountPoint,
      device: mount.source,
      name: facts?.name ?? '',
      fileSystem: mount.fileSystem,
      uuid: facts?.uuid,
      root: mount.root,
      space: isNetwork ? undefined : await spaceAt(mount.mountPoint).catch(() => undefined),
      isRemovable: facts?.isRemovable ?? false,
      isReadOnly: mount.isReadOnly,
      isNetwork,
    };
  }

  /** Whether its mount point is a folder (containers mount single files) and nothing is mounted over it. */
  async #isSeen({ id, mountPoint }: Mount): Promise<boolean> {
    return this.#mountIdOf(mountPoint, constants.O_DIRECTORY).then(
      (seen) => seen === id,
      () => false,
    );
  }

  /** The mount that holds an existing path: asked of the kernel, since names alone do not show what is mounted over what. */
  async #mountIdOf(path: string, flags = 0): Promise<number> {
    const handle = await open(path, O_PATH | constants.O_NOFOLLOW | flags);
    try {
      const text = await readFile(join('/proc/self/fdinfo', String(handle.fd)), 'latin1');
      return Number(/^mnt_id:\s*(\d+)/m.exec(text)?.[1]);
    } finally {
      await handle.close();
    }
  }

  async #mountPointsOfFstab(): Promise<string[]> {
    const text = await readFile(this.#roots.fstab, 'utf8').catch(() => '');
    const points: string[] = [];
    for (const line of text.split('\n')) {
      const [source, point] = line.trim().split(/\s+/);
      if (!source || source.startsWith('#') || !point?.startsWith('/')) continue;
      points.push(point.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))));
    }
    return points;
  }
}

/** Whether whoever looks at it may wait for another computer. */
const isFar = ({ fileSystem }: Mount): boolean => network.test(fileSystem) || ofHost.test(fileSystem);

/** Whether a device stands behind it. */
const isBacked = ({ source }: Mount): boolean => source.startsWith('/');

/** Whether a person would call it a drive. */
function isDrive(mount: Mount): boolean {
  const { fileSystem, source } = mount;
  if (packaged.test(fileSystem)) return false;
  if (isFar(mount) || fileSystem === 'zfs') return true;
  return source.startsWith('/dev/') && !source.startsWith('/dev/fuse') && fileSystem !== 'devtmpfs';
}
