/** What a backup leaves out by what an entry is: its size and its file system. Both as restic does. */
import { fail } from '../../contract/errors.ts';

const powers: Readonly<Record<string, number>> = { '': 1, B: 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/**
 * Reads `--exclude-larger-than`: a number, alone or with B, K, M, G or T (powers of 1024; also KiB …). Fractions are rounded down to bytes.
 * @returns bytes
 * @throws `bad-usage`
 */
export function parseSizeLimit(text: string): number {
  const m = /^(\d+(?:\.\d+)?)(?:([BKMGT])|([KMGT])iB)?$/i.exec(text.trim());
  const size = m === null ? Number.NaN : Math.floor(Number(m[1]) * powers[(m[2] ?? m[3] ?? '').toUpperCase()]!);
  if (!Number.isSafeInteger(size)) {
    fail('bad-usage', { problem: `--exclude-larger-than: “${text}” is no size.`, guidance: 'Write for example 500K, 100M or 2G.' });
  }
  return size;
}

/** A folder is never too large, whatever is in it. `size` in bytes. */
export const isTooLarge = (largerThan: number | null, size: number, isDirectory: boolean): boolean =>
  largerThan !== null && !isDirectory && size > largerThan;

/**
 * What `--one-file-system` makes of an entry on the file system `device`, in a folder on `parentDevice`, when the source is on
 * `sourceDevice` (st_dev each): a folder on which another file system is mounted is stored empty, so that it can be mounted again after a
 * restore; anything else on another file system (a file that is a mount point) is left out.
 */
export function acrossFileSystems(
  device: bigint | number,
  parentDevice: bigint | number,
  sourceDevice: bigint | number,
  isDirectory: boolean,
): 'store' | 'store-empty' | 'leave-out' {
  if (device === sourceDevice) return 'store';
  return isDirectory && parentDevice === sourceDevice ? 'store-empty' : 'leave-out';
}
