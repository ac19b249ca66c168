/** How much unused data may stay in the repository, since repacking for every byte costs more than it gives. */
import { fail } from '../../contract/errors.ts';

export type MaxUnused =
  /** Share of the data in the repository after the prune, at least 0 and below 100. */
  | { readonly kind: 'percent'; readonly percent: number }
  | { readonly kind: 'bytes'; readonly bytes: number }
  | { readonly kind: 'unlimited' };

/** As restic. */
export const defaultMaxUnused: MaxUnused = { kind: 'percent', percent: 5 };

const powers: Readonly<Record<string, number>> = { '': 1, B: 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/** Reads `5%`, `500M` (powers of 1024), `0` or `unlimited`. Throws `bad-usage`. */
export function parseMaxUnused(text: string): MaxUnused {
  if (text === 'unlimited') return { kind: 'unlimited' };
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text);
  if (percent && Number(percent[1]) < 100) return { kind: 'percent', percent: Number(percent[1]) };
  if (percent && Number(percent[1]) === 100) return { kind: 'unlimited' };
  const size = /^(\d+(?:\.\d+)?)([BKMGT]?)$/i.exec(text);
  if (size) {
    const bytes = Math.floor(Number(size[1]) * powers[size[2].toUpperCase()]);
    if (Number.isSafeInteger(bytes)) return { kind: 'bytes', bytes };
  }
  return fail('bad-usage', {
    problem: `“${text}” does not say how much unused data may stay.`,
    guidance: 'Use a share such as 5%, a size such as 500M, or “unlimited”.',
  });
}

/** The limit in bytes, for a repository whose used blobs take `used` bytes. Source of the formula: restic, prune. */
export function unusedLimit(max: MaxUnused, used: number): number {
  if (max.kind === 'unlimited') return Number.POSITIVE_INFINITY;
  return max.kind === 'bytes' ? max.bytes : (max.percent / (100 - max.percent)) * used;
}
