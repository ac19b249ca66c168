/** /proc/PID/mountinfo of Linux. Source: proc_pid_mountinfo(5). */
import { isUtf8 } from 'node:buffer';

export interface Mount {
  /** Of this mount, not of the file system: another one each time it is mounted. */
  readonly id: number;
  /** `major:minor` of the file system; major 0 where it stands for no device (btrfs, network, memory). */
  readonly device: string;
  /** The folder of the file system that is mounted. */
  readonly root: string;
  readonly mountPoint: string;
  readonly fileSystem: string;
  readonly source: string;
  /** Of this mount or of the file system as a whole. */
  readonly isReadOnly: boolean;
}

/** The mounts in the kernel's order, later ones over earlier ones. Those whose paths are not UTF-8 are left out: no text names them. */
export function parseMountinfo(bytes: Buffer): Mount[] {
  const mounts: Mount[] = [];
  for (const line of bytes.toString('latin1').split('\n')) {
    const fields = line.split(' ');
    // Any number of optional fields end with a hyphen.
    const separator = fields.indexOf('-', 6);
    if (separator < 0 || fields.length < separator + 3) continue;
    const [id, , device, root, mountPoint, options] = fields as [string, string, string, string, string, string];
    const [fileSystem, source, superOptions] = fields.slice(separator + 1) as [string, string, string | undefined];
    const texts = [root, mountPoint, source].map(unescape);
    if (texts.includes(undefined)) continue;
    mounts.push({
      id: Number(id),
      device,
      root: texts[0] as string,
      mountPoint: texts[1] as string,
      fileSystem,
      source: texts[2] as string,
      isReadOnly: [options, superOptions].some((each) => each?.split(',').includes('ro')),
    });
  }
  return mounts;
}

/** Spaces, tabs, newlines, backslashes and number signs stand there as a backslash and three octal digits. */
function unescape(field: string): string | undefined {
  const bytes = Buffer.from(
    field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))),
    'latin1',
  );
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}
