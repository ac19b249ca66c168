/**
 * Decides what becomes of every pack. Pure: typed arrays in, typed arrays out, no object per blob.
 *
 * - A blob is *used* when a snapshot needs it; of a used blob's copies exactly one is *chosen*, the others count as unused.
 * - A pack without a chosen copy is removed. One with unused blobs, a mixed one and (of ten or more) a very small one is a
 *   candidate for repacking; the most wasteful candidates are repacked until what stays unused is below the limit.
 *
 * The rules are those of restic's prune (internal/repository/prune.go), so that both do about the same to the same repository.
 */
import { fitness, type IndexSurvey, packTrait, recordKind, recordsOf } from '../check/index-survey.ts';
import { type MaxUnused, unusedLimit } from './max-unused.ts';

/** What becomes of a pack; `drop`: the storage does not hold it and nobody needs it, so only the index has to forget it. */
export const packFate = { keep: 0, remove: 1, repack: 2, drop: 3 } as const;

export interface PackFacts {
  readonly survey: IndexSurvey;
  /** For each record that lookups give: 1 when its blob is used. */
  readonly marks: Uint8Array;
  /** File size of each pack in bytes, -1 when it is missing. */
  readonly stored: Float64Array;
}

export interface Tally {
  readonly blobs: number;
  /** Sealed. */
  readonly bytes: number;
}

export interface Decision {
  /** One of {@link packFate} for each pack. */
  readonly fates: Uint8Array;
  /** For each record: 1 when it has to be copied out of a pack that is repacked. */
  readonly copy: Uint8Array;
  /** Packs that are needed, but missing, or of a size or content that differs from the index. Nothing may be done if there are any. */
  readonly unfit: readonly number[];
  /** For each pack: bytes of blobs that nobody needs. */
  readonly unusedOf: Float64Array;
  readonly used: Tally;
  readonly unused: Tally;
  readonly duplicate: Tally;
  /** Unused and duplicate bytes that will be left. */
  readonly unusedAfter: number;
}

/** Packs below this part of the pack size are too small. */
const smallPart = 25;
/** Fewer small packs are not worth the trouble; and one of them must not be repacked for ever. */
const manySmall = 10;

export function decide({ survey, marks, stored }: PackFacts, maxUnused: MaxUnused, packSize: number): Decision {
  const { packs, records, order, packOf, lengths, primary } = survey;
  const fits = fitness(survey, stored);
  const chosen = chooseCopies(survey, marks, fits);
  const fates = new Uint8Array(packs);
  const usedOf = new Float64Array(packs);
  const unusedOf = new Float64Array(packs);
  const tallies = { used: { blobs: 0, bytes: 0 }, unused: { blobs: 0, bytes: 0 }, duplicate: { blobs: 0, bytes: 0 } };
  for (let i = 0; i < records; i++) {
    const record = order[i];
    const length = lengths[record];
    const kind = chosen[record] === 1 ? 'used' : marks[primary[record]] === 1 ? 'duplicate' : 'unused';
    tallies[kind].blobs += 1;
    tallies[kind].bytes += length;
    if (kind === 'used') usedOf[packOf[record]] += length;
    else unusedOf[packOf[record]] += length;
  }

  const small = Math.floor(packSize / smallPart);
  const unfit: number[] = [];
  const candidates: number[] = [];
  const smallPacks: number[] = [];
  let left = tallies.unused.bytes + tallies.duplicate.bytes;
  for (let pack = 0; pack < packs; pack++) {
    if (usedOf[pack] === 0) {
      fates[pack] = stored[pack] < 0 ? packFate.drop : packFate.remove;
      left -= unusedOf[pack];
    } else if (fits[pack] === 0) unfit.push(pack);
    else if (unusedOf[pack] > 0 || isMixed(survey, pack)) candidates.push(pack);
    else if (stored[pack] < small) smallPacks.push(pack);
  }
  if (smallPacks.length >= manySmall) candidates.push(...smallPacks);

  const limit = unusedLimit(maxUnused, tallies.used.bytes);
  const urgency = (pack: number): number =>
    (survey.traits[pack] & packTrait.tree) !== 0 ? 0 : usedOf[pack] + unusedOf[pack] < small ? 1 : 2;
  candidates.sort((a, b) => urgency(a) - urgency(b) || unusedOf[b] * usedOf[a] - unusedOf[a] * usedOf[b] || a - b);
  for (const pack of candidates) {
    const enough = left < limit || (left === 0 && limit === 0);
    if (urgency(pack) === 2 && enough) continue;
    fates[pack] = packFate.repack;
    left -= unusedOf[pack];
  }
  return { fates, copy: recordsToCopy(survey, marks, fates), unfit, unusedOf, ...tallies, unusedAfter: Math.max(0, left) };
}

const isMixed = ({ traits }: IndexSurvey, pack: number): boolean => (traits[pack] & 3) === 3;

/**
 * For each record 1 when it is the one copy of a used blob that counts. A copy in a pack that fits comes before one in a pack that
 * does not; then one in a pack that holds other used blobs, or nothing but duplicates (so that what was repacked once is kept).
 */
function chooseCopies({ packs, records, order, packOf, primary }: IndexSurvey, marks: Uint8Array, fits: Uint8Array): Uint8Array {
  const chosen = new Uint8Array(primary.length);
  // Copies of each used blob that could still be chosen, by the record that lookups give; 255 stands for more.
  const copies = new Uint8Array(primary.length);
  const fitting = new Uint8Array(primary.length);
  for (let i = 0; i < records; i++) {
    const record = order[i];
    const blob = primary[record];
    if (marks[blob] === 1 && fits[packOf[record]] === 1) fitting[blob] = 1;
  }
  const counts = (record: number): boolean => {
    const blob = primary[record];
    return marks[blob] === 1 && (fitting[blob] === 0 || fits[packOf[record]] === 1);
  };
  for (let i = 0; i < records; i++) {
    const blob = primary[order[i]];
    if (counts(order[i]) && copies[blob] < 255) copies[blob] += 1;
  }
  const usedBlobs = new Uint32Array(packs);
  const duplicates = new Uint32Array(packs);
  const others = new Uint32Array(packs);
  for (let i = 0; i < records; i++) {
    const record = order[i];
    const pack = packOf[record];
    if (!counts(record)) others[pack] += 1;
    else if (copies[primary[record]] > 1) duplicates[pack] += 1;
    else {
      chosen[record] = 1;
      usedBlobs[pack] += 1;
    }
  }
  const done = new Uint8Array(primary.length);
  const choose = (record: number): void => {
    chosen[record] = 1;
    done[primary[record]] = 1;
    usedBlobs[packOf[record]] += 1;
  };
  const isOpen = (record: number): boolean => counts(record) && copies[primary[record]] > 1 && done[primary[record]] === 0;
  for (let i = 0; i < records; i++) {
    const record = order[i];
    const pack = packOf[record];
    if (isOpen(record) && (usedBlobs[pack] > 0 || others[pack] === 0)) choose(record);
  }
  for (let i = 0; i < records; i++) if (isOpen(order[i])) choose(order[i]);
  return chosen;
}

/** Exactly one record of each used blob that no kept pack holds. */
function recordsToCopy(survey: IndexSurvey, marks: Uint8Array, fates: Uint8Array): Uint8Array {
  const { packs, primary } = survey;
  const copy = new Uint8Array(primary.length);
  const covered = new Uint8Array(primary.length);
  for (let pack = 0; pack < packs; pack++) {
    if (fates[pack] !== packFate.keep) continue;
    for (const record of recordsOf(survey, pack)) covered[primary[record]] = 1;
  }
  for (let pack = 0; pack < packs; pack++) {
    if (fates[pack] !== packFate.repack) continue;
    for (const record of recordsOf(survey, pack)) {
      const blob = primary[record];
      if (marks[blob] === 0 || covered[blob] === 1) continue;
      covered[blob] = 1;
      copy[record] = 1;
    }
  }
  return copy;
}

/** Whether a record is a tree's. */
export const isTree = ({ kinds }: IndexSurvey, record: number): boolean => (kinds[record] & recordKind.tree) !== 0;
