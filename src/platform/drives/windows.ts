/** {@link Drives} on Windows, through PowerShell. Tested with output in its form, never yet on Windows. */
import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { win32 } from 'node:path';
import { promisify } from 'node:util';
import { fail, HoldfastError } from '../../contract/errors.ts';
import { unlessCancelled } from '../cancellation.ts';
import { existingPart, innermost, onNoVolume, spaceAt } from './paths.ts';
import type { Drives, PlaceWithin, Space, Volume } from './volume.ts';

/** Runs a PowerShell script; another for tests. */
export type RunScript = (script: string) => Promise<string>;

const runScript: RunScript = async (script) => {
  const args = ['-NoProfile', '-NonInteractive', '-Command', `[Console]::OutputEncoding = [Text.Encoding]::UTF8; ${script}`];
  return (await promisify(execFile)('powershell.exe', args, { windowsHide: true, maxBuffer: 1 << 24 })).stdout;
};

/** Disks on a cable count as fixed ones; only their bus tells that they can be unplugged. */
const listScript = `
$ErrorActionPreference = 'Stop'
$volumes = @(Get-CimInstance Win32_LogicalDisk |
  Select-Object DeviceID, DriveType, FileSystem, Size, FreeSpace, VolumeName, VolumeSerialNumber, Access, ProviderName)
$buses = @(Get-Partition -ErrorAction SilentlyContinue | Where-Object DriveLetter | ForEach-Object {
  [pscustomobject]@{ Letter = [string]$_.DriveLetter; Bus = [string](Get-Disk -Number $_.DiskNumber).BusType } })
ConvertTo-Json -Compress -Depth 3 @{ volumes = $volumes; buses = $buses }`;

/** Win32_LogicalDisk. */
interface LogicalDisk {
  readonly DeviceID: string;
  /** 2 removable, 3 fixed, 4 network, 5 compact disc, 6 memory. */
  readonly DriveType: number;
  readonly FileSystem: string | null;
  readonly Size: number | null;
  readonly FreeSpace: number | null;
  readonly VolumeName: string | null;
  readonly VolumeSerialNumber: string | null;
  /** 1 readable only. Mostly 0, unknown. */
  readonly Access: number | null;
  /** Of a share, `\\\\server\\share`. */
  readonly ProviderName: string | null;
}

const removable = 2;
const network = 4;
const compactDisc = 5;
const unpluggable = new Set(['USB', 'SD', 'MMC', '1394']);

/** The volumes in what {@link listScript} prints; drives without a medium are left out. Throws SyntaxError for what is not JSON. */
export function parseVolumes(json: string): Volume[] {
  const { volumes, buses } = JSON.parse(json.replace(/^\ufeff/, '')) as {
    volumes: LogicalDisk[];
    buses: { Letter: string; Bus: string }[];
  };
  const busOf = new Map(buses.map(({ Letter, Bus }) => [`${Letter}:`, Bus]));
  return volumes
    .filter(({ FileSystem, DriveType }) => FileSystem || DriveType === network)
    .map((disk) => ({
      mountPoint: `${disk.DeviceID}\\`,
      device: disk.ProviderName ?? disk.DeviceID,
      name: disk.VolumeName ?? '',
      fileSystem: disk.FileSystem ?? '',
      uuid: disk.DriveType === network ? undefined : (disk.VolumeSerialNumber ?? undefined),
      root: '/',
      space:
        disk.DriveType === network || disk.Size === null || disk.FreeSpace === null
          ? undefined
          : { capacityBytes: disk.Size, freeBytes: disk.FreeSpace },
      isRemovable: disk.DriveType === removable || disk.DriveType === compactDisc || unpluggable.has(busOf.get(disk.DeviceID) ?? ''),
      isReadOnly: disk.Access === 1 || disk.DriveType === compactDisc,
      isNetwork: disk.DriveType === network,
    }));
}

const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];

export class WindowsDrives implements Drives {
  readonly #run: RunScript;
  /** Whoever looks at the letter of a dead share waits for it. */
  #shares: ReadonlySet<string> | undefined;

  constructor(run: RunScript = runScript) {
    this.#run = run;
  }

  async list(): Promise<Volume[]> {
    const volumes = parseVolumes(await this.#run(listScript));
    this.#shares = new Set(volumes.filter(({ isNetwork }) => isNetwork).map(({ mountPoint }) => mountPoint));
    return volumes;
  }

  /** Which letters have a medium; PowerShell takes a second of a processor. */
  async fingerprint(): Promise<string> {
    if (!this.#shares) await this.list();
    const roots = letters.map((letter) => `${letter}:\\`).filter((root) => !this.#shares?.has(root));
    const there = await Promise.all(
      roots.map((root) =>
        stat(root).then(
          ({ dev }) => `${root}${dev}`,
          () => '',
        ),
      ),
    );
    return there.filter((each) => each !== '').join(' ');
  }

  async identify(path: string): Promise<{ volume: Volume; pathWithin: string }> {
    const { real, missing } = await existingPart(win32.resolve(path));
    const full = win32.join(real, missing);
    const volume = innermost(await this.list(), full, win32);
    if (!volume) throw onNoVolume(full);
    return { volume, pathWithin: win32.relative(volume.mountPoint, full).replaceAll('\\', '/') };
  }

  async locate({ uuid, pathWithin }: PlaceWithin): Promise<string[]> {
    return (await this.list())
      .filter((volume) => volume.uuid === uuid)
      .map(({ mountPoint }) => win32.join(mountPoint, win32.join('\\', pathWithin)));
  }

  space(path: string): Promise<Space> {
    return spaceAt(path);
  }

  /** The letter of a drive that is not there is no folder either: nothing can be written to it. */
  async emptyMountPoint(): Promise<undefined> {
    return undefined;
  }

  /** As the Explorer does it, which tells nobody whether it worked: the drive is gone then, or not. */
  async eject(volume: Volume, signal?: AbortSignal): Promise<void> {
    const name = volume.name || volume.mountPoint;
    const letter = volume.mountPoint.slice(0, 1);
    if (!/^[A-Z]:\\$/.test(volume.mountPoint) || volume.isNetwork)
      return fail('drive-not-ejected', { name, cause: 'it has no letter of a drive' });
    const script = `
$ErrorActionPreference = 'Stop'
Write-VolumeCache -DriveLetter ${letter}
(New-Object -ComObject Shell.Application).NameSpace(17).ParseName('${letter}:').InvokeVerb('Eject')
foreach ($try in 1..20) { if (-not (Test-Path '${letter}:\\')) { 'gone'; exit 0 }; Start-Sleep -Milliseconds 500 }
'busy'`;
    try {
      const said = await unlessCancelled(this.#run(script), signal);
      if (said.trim() !== 'gone') return fail('drive-busy', { name });
    } catch (error) {
      if (error instanceof HoldfastError) throw error;
      return fail('drive-not-ejected', { name, cause: (error as Error).message.split('\n')[0] as string }, error);
    }
  }
}
