/** What Linux knows of a block device: its label and UUID from udev (else from blkid), whether it can be unplugged from sysfs. */
import { execFile } from 'node:child_process';
import { readdir, readFile, readlink, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Mount } from './mountinfo.ts';

/** Where the kernel and udev show what they know; others for tests. */
export interface LinuxRoots {
  readonly proc: string;
  readonly sys: string;
  readonly dev: string;
  readonly udev: string;
  readonly fstab: string;
}

export const systemRoots: LinuxRoots = { proc: '/proc', sys: '/sys', dev: '/dev', udev: '/run/udev', fstab: '/etc/fstab' };

export interface DeviceFacts {
  readonly uuid: string | undefined;
  readonly name: string;
  readonly isRemovable: boolean;
}

const unknown: DeviceFacts = { uuid: undefined, name: '', isRemovable: false };

export class LinuxDevices {
  readonly #roots: LinuxRoots;

  constructor(roots: LinuxRoots) {
    this.#roots = roots;
  }

  /**
   * Of the device that `source` names, `number` in the kernel's words (`8:17`; major 0 when the file system stands for several).
   * Nothing is kept: numbers of devices and of mounts are given again to others.
   */
  async facts(source: string, number: string): Promise<DeviceFacts> {
    const real = number.startsWith('0:') ? await this.#numberOf(source) : number;
    if (real === undefined) return unknown;
    const [names, isRemovable] = await Promise.all([this.#names(source, real), this.#isRemovable(real)]);
    return { ...names, isRemovable };
  }

  /** Whether the device is still plugged in: a mount may outlive it. */
  async isThere({ device: number, source, fileSystem }: Pick<Mount, 'device' | 'source' | 'fileSystem'>): Promise<boolean> {
    if (number.startsWith('0:')) return fileSystem !== 'btrfs' || isThere(source);
    return isThere(join(this.#roots.sys, 'dev/block', number));
  }

  async #numberOf(source: string): Promise<string | undefined> {
    if (!source.startsWith('/')) return undefined;
    const facts = await stat(source).catch(() => undefined);
    if (!facts?.isBlockDevice()) return undefined;
    // As gnu_dev_major and gnu_dev_minor of glibc take a dev_t of up to 32 bits apart.
    return `${(facts.rdev >>> 8) & 0xfff}:${(facts.rdev & 0xff) | ((facts.rdev >>> 12) & 0xfff00)}`;
  }

  /**
   * udev's database knows each device by its number. Its links in /dev/disk/by-uuid do not do: of two devices with the same UUID only one
   * is linked.
   */
  async #names(source: string, number: string): Promise<Pick<DeviceFacts, 'uuid' | 'name'>> {
    const text = await readFile(join(this.#roots.udev, 'data', `b${number}`), 'utf8').catch(() => undefined);
    if (text !== undefined) {
      const property = (name: string): string => new RegExp(`^E:${name}=(.*)$`, 'm').exec(text)?.[1] ?? '';
      const uuid = unescapeUdev(property('ID_FS_UUID_ENC') || property('ID_FS_UUID'));
      if (uuid !== '') return { uuid, name: unescapeUdev(property('ID_FS_LABEL_ENC') || property('ID_FS_LABEL')) };
    }
    return askBlkid(source);
  }

  /** USB and memory cards, the drive itself or (through encryption, RAID, logical volumes) any that it is made of. */
  async #isRemovable(number: string, depth = 0): Promise<boolean> {
    const link = join(this.#roots.sys, 'dev/block', number);
    const target = await readlink(link).catch(() => '');
    if (/\/usb\d|\/mmc_host\//.test(target)) return true;
    const folder = await realpath(link).catch(() => undefined);
    if (folder === undefined) return false;
    for (const at of [folder, join(folder, '..')])
      if ((await readFile(join(at, 'removable'), 'latin1').catch(() => '')).trim() === '1') return true;
    for (const each of depth < 8 ? await readdir(join(folder, 'slaves')).catch(() => []) : []) {
      const below = await readFile(join(folder, 'slaves', each, 'dev'), 'latin1').catch(() => '');
      if (below !== '' && (await this.#isRemovable(below.trim(), depth + 1))) return true;
    }
    return false;
  }
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** udev writes what is not safe in a name as `\x` and two hexadecimal digits for each byte. */
function unescapeUdev(text: string): string {
  const bytes = Buffer.from(text).toString('latin1');
  const plain = bytes.replace(/\\x([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(plain, 'latin1').toString('utf8');
}

/** For machines without udev (containers, small systems). It reads the device, which mostly only root may. */
async function askBlkid(source: string): Promise<Pick<DeviceFacts, 'uuid' | 'name'>> {
  try {
    const env = { PATH: '/usr/sbin:/sbin:/usr/bin:/bin', LC_ALL: 'C' };
    const { stdout } = await promisify(execFile)('blkid', ['-p', '-o', 'udev', '--', source], { env });
    const property = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(stdout)?.[1] ?? '';
    return { uuid: unescapeUdev(property('ID_FS_UUID_ENC')) || undefined, name: unescapeUdev(property('ID_FS_LABEL_ENC')) };
  } catch {
    return { uuid: undefined, name: '' };
  }
}
