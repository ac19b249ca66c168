/**
 * Which packs a check reads: all, a random part, or one of m parts that together are all.
 * The text forms are those of restic's `--read-data-subset`.
 */
import { fail } from '../../contract/errors.ts';

export type DataSubset =
  /** So many of all packs, above 0 and at most 100. */
  | { readonly kind: 'percent'; readonly percent: number }
  /** Packs of so many bytes together, at least one pack. */
  | { readonly kind: 'bytes'; readonly bytes: number }
  /** The packs whose ID's first byte leaves part - 1 when divided by `of`. */
  | { readonly kind: 'part'; readonly part: number; readonly of: number };

const powers: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/** Reads `10%`, `2.5G` (powers of 1024) or `n/m` with m up to 256. Throws `bad-usage`. */
export function parseSubset(text: string): DataSubset {
  const part = /^(\d+)\/(\d+)$/.exec(text);
  if (part) {
    const [n, m] = [Number(part[1]), Number(part[2])];
    if (n >= 1 && n <= m && m <= 256) return { kind: 'part', part: n, of: m };
  }
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text);
  if (percent && Number(percent[1]) > 0 && Number(percent[1]) <= 100) return { kind: 'percent', percent: Number(percent[1]) };
  const size = /^(\d+(?:\.\d+)?)([KMGT])$/i.exec(text);
  if (size) {
    const bytes = Math.floor(Number(size[1]) * powers[size[2].toUpperCase()]);
    if (bytes > 0 && Number.isSafeInteger(bytes)) return { kind: 'bytes', bytes };
  }
  return fail('bad-usage', {
    problem: `“${text}” does not say which part of the data to read.`,
    guidance: 'Use a share such as 10%, a size such as 2.5G, or a part such as 1/5 (up to 256 parts).',
  });
}

/**
 * The packs to read among `packs`, in the order given. `idByte` and `size` tell a pack's first byte and its bytes; `random` gives
 * numbers in [0, 1).
 */
export function choosePacks(
  packs: readonly number[],
  subset: DataSubset,
  idByte: (pack: number) => number,
  size: (pack: number) => number,
  random: () => number,
): number[] {
  if (subset.kind === 'part') return packs.filter((pack) => idByte(pack) % subset.of === subset.part - 1);
  const shuffled = [...packs];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    [shuffled[i], shuffled[other]] = [shuffled[other], shuffled[i]];
  }
  let count = 0;
  if (subset.kind === 'percent') {
    count = Math.max(1, Math.round((packs.length * subset.percent) / 100));
  } else {
    for (let bytes = 0; count < shuffled.length; count++) {
      bytes += size(shuffled[count]);
      if (bytes > subset.bytes && count > 0) break;
    }
  }
  const chosen = new Set(shuffled.slice(0, count));
  return packs.filter((pack) => chosen.has(pack));
}
