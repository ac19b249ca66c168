/** What a person may want of an S3 destination beyond its place and keys; everything has a default. */
import { fail } from '../../contract/errors.ts';
import type { Credentials } from '../credentials.ts';

export interface S3Settings {
  /** Whether the bucket's name is the first part of the server's name or of the path; default: what the service prefers. */
  readonly lookup?: 'dns' | 'path' | undefined;
  /** For packs, which are nearly all of a repository; everything else is small, often read or soon removed. */
  readonly storageClass?: string | undefined;
  /** Encryption by the server, with keys of its own; what is stored is encrypted in any case. */
  readonly encryption?: { readonly kind: 'AES256' | 'aws:kms'; readonly keyId?: string | undefined } | undefined;
  /** Nothing but locks may be removed for so many days after it was saved; the bucket must have been made for it. */
  readonly retention?: { readonly mode: 'GOVERNANCE' | 'COMPLIANCE'; readonly days: number } | undefined;
}

/** Environment variables and their values, for messages. */
const names = {
  lookup: 'HOLDFAST_S3_BUCKET_LOOKUP',
  storageClass: 'HOLDFAST_S3_STORAGE_CLASS',
  encryption: 'HOLDFAST_S3_ENCRYPTION',
  kmsKey: 'HOLDFAST_S3_KMS_KEY',
  retentionMode: 'HOLDFAST_S3_RETENTION_MODE',
  retentionDays: 'HOLDFAST_S3_RETENTION_DAYS',
} as const;

/** What is stored there cannot be read before somebody has asked for it, and hours have passed. */
const archives = new Set(['GLACIER', 'DEEP_ARCHIVE']);

const wrong = (name: string, value: string, guidance: string): never =>
  fail('bad-usage', { problem: `${name} cannot be ${JSON.stringify(value)}.`, guidance });

/** Throws `bad-usage`. */
export function s3Settings(credentials: Credentials): S3Settings {
  const storageClass = credentials.get(names.storageClass);
  if (storageClass !== undefined && !/^[A-Z][A-Z0-9_]{1,40}$/.test(storageClass))
    wrong(names.storageClass, storageClass, 'Use a storage class of your provider, for example STANDARD_IA.');
  if (storageClass !== undefined && archives.has(storageClass))
    wrong(
      names.storageClass,
      storageClass,
      'Backups in an archive cannot be read at once, nor used by the next backup. Use for example GLACIER_IR.',
    );
  return { lookup: lookupOf(credentials), storageClass, encryption: encryptionOf(credentials), retention: retentionOf(credentials) };
}

function lookupOf(credentials: Credentials): S3Settings['lookup'] {
  const value = credentials.get(names.lookup) ?? 'auto';
  if (value === 'auto') return undefined;
  if (value === 'dns' || value === 'path') return value;
  return wrong(names.lookup, value, 'Use auto, dns or path.');
}

function encryptionOf(credentials: Credentials): S3Settings['encryption'] {
  const value = credentials.get(names.encryption);
  const keyId = credentials.get(names.kmsKey);
  if (value === undefined && keyId === undefined) return undefined;
  const kind = value ?? 'aws:kms';
  if (kind === 'AES256' && keyId === undefined) return { kind };
  if (kind === 'aws:kms') return { kind, keyId };
  return wrong(names.encryption, kind, `Use AES256, or aws:kms (with the key in ${names.kmsKey}, if it is not the usual one).`);
}

const longestRetentionDays = 36_500;

function retentionOf(credentials: Credentials): S3Settings['retention'] {
  const days = credentials.get(names.retentionDays);
  if (days === undefined) return undefined;
  if (!/^\d{1,5}$/.test(days) || Number(days) < 1 || Number(days) > longestRetentionDays)
    return wrong(names.retentionDays, days, 'Use a number of days.');
  const mode = credentials.get(names.retentionMode) ?? 'GOVERNANCE';
  if (mode !== 'GOVERNANCE' && mode !== 'COMPLIANCE') return wrong(names.retentionMode, mode, 'Use GOVERNANCE or COMPLIANCE.');
  return { mode, days: Number(days) };
}
