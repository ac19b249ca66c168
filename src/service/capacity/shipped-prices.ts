/**
 * The prices that Holdfast brings: what the providers' public lists said for their usual region (the east of the USA, or the whole
 * provider) in the month that each entry names. Providers change them, so that every entry can be changed.
 *
 * Only classes that give data back at once are here: one that wants hours before a file can be read is no place for a repository.
 */
import type { Price } from '../../contract/cost.ts';

const asOf = '2025-06';
const none = {
  currency: 'USD',
  retrieval: 0,
  freeEgressGb: 0,
  freeEgressTimes: 0,
  freeStorageGb: 0,
  minimumDays: 0,
  minimumObjectBytes: 0,
  minimumMonthly: 0,
  asOf,
} as const;

const amazon = { ...none, provider: 'Amazon S3', gb: 'binary', egress: 0.09, freeEgressGb: 100 } as const;
const microsoft = { ...none, provider: 'Azure Blob Storage', gb: 'binary', egress: 0.087, freeEgressGb: 100 } as const;
const google = { ...none, provider: 'Google Cloud Storage', gb: 'binary', egress: 0.12 } as const;
const cloudflare = { ...none, provider: 'Cloudflare R2', gb: 'decimal', egress: 0 } as const;
const smallest = 128 * 1024;

export const shippedPrices: readonly Price[] = [
  { ...amazon, id: 's3-standard', name: 'Standard', storage: 0.023, writes: 0.005, reads: 0.0004 },
  {
    ...amazon,
    id: 's3-standard-ia',
    name: 'Standard-IA',
    storage: 0.0125,
    writes: 0.01,
    reads: 0.001,
    retrieval: 0.01,
    minimumDays: 30,
    minimumObjectBytes: smallest,
  },
  {
    ...amazon,
    id: 's3-glacier-ir',
    name: 'Glacier Instant Retrieval',
    storage: 0.004,
    writes: 0.02,
    reads: 0.01,
    retrieval: 0.03,
    minimumDays: 90,
    minimumObjectBytes: smallest,
  },
  {
    ...none,
    id: 'b2',
    provider: 'Backblaze',
    name: 'B2',
    gb: 'decimal',
    storage: 0.006,
    writes: 0,
    reads: 0.0004,
    egress: 0.01,
    freeEgressTimes: 3,
    freeStorageGb: 10,
  },
  {
    ...none,
    id: 'wasabi',
    provider: 'Wasabi',
    name: 'Hot Cloud Storage',
    gb: 'binary',
    storage: 0.00683,
    writes: 0,
    reads: 0,
    egress: 0,
    freeEgressTimes: 1,
    minimumDays: 90,
    minimumObjectBytes: 4096,
    minimumMonthly: 6.99,
  },
  { ...cloudflare, id: 'r2', name: 'Standard', storage: 0.015, writes: 0.0045, reads: 0.00036, freeStorageGb: 10 },
  {
    ...cloudflare,
    id: 'r2-ia',
    name: 'Infrequent Access',
    storage: 0.01,
    writes: 0.009,
    reads: 0.0009,
    retrieval: 0.01,
    minimumDays: 30,
  },
  { ...microsoft, id: 'azure-hot', name: 'Hot', storage: 0.0184, writes: 0.005, reads: 0.0004 },
  { ...microsoft, id: 'azure-cool', name: 'Cool', storage: 0.01, writes: 0.01, reads: 0.001, retrieval: 0.01, minimumDays: 30 },
  { ...microsoft, id: 'azure-cold', name: 'Cold', storage: 0.0036, writes: 0.018, reads: 0.01, retrieval: 0.03, minimumDays: 90 },
  { ...google, id: 'gcs-standard', name: 'Standard', storage: 0.02, writes: 0.005, reads: 0.0004 },
  { ...google, id: 'gcs-nearline', name: 'Nearline', storage: 0.01, writes: 0.01, reads: 0.001, retrieval: 0.01, minimumDays: 30 },
  { ...google, id: 'gcs-coldline', name: 'Coldline', storage: 0.004, writes: 0.02, reads: 0.01, retrieval: 0.02, minimumDays: 90 },
  { ...google, id: 'gcs-archive', name: 'Archive', storage: 0.0012, writes: 0.05, reads: 0.05, retrieval: 0.05, minimumDays: 365 },
];

/** The entry that a place is likely paid by; undefined for what costs nothing, or what nobody can tell from its place. */
export function priceOfPlace(place: string): string | undefined {
  const kind = /^([a-z][a-z0-9]+):/.exec(place)?.[1];
  if (kind === 'gs') return 'gcs-standard';
  if (kind === 'azure') return 'azure-hot';
  if (kind !== 's3' && kind !== 'b2') return undefined;
  if (kind === 'b2') return 'b2';
  const host = /^s3:(?:https?:\/\/)?([^/:]+)/.exec(place)?.[1] ?? '';
  const known = [
    [/(^|\.)amazonaws\.com$/, 's3-standard'],
    [/(^|\.)backblazeb2\.com$/, 'b2'],
    [/(^|\.)wasabisys\.com$/, 'wasabi'],
    [/(^|\.)r2\.cloudflarestorage\.com$/, 'r2'],
  ] as const;
  return known.find(([pattern]) => pattern.test(host))?.[1];
}
