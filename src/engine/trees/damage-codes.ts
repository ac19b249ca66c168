/** Which errors tell of damage in the repository rather than of a run that cannot go on. */
import { type ErrorCode, HoldfastError } from '../../contract/errors.ts';

const damageCodes = [
  'blob-missing',
  'file-not-found',
  'file-short',
  'index-invalid',
  'item-tampered',
  'key-invalid',
  'pack-invalid',
  'snapshot-invalid',
  // A read that fails is damage to whoever wants the bytes; a destination that is gone altogether has a code of its own.
  'storage-failed',
  'tree-invalid',
] as const satisfies readonly ErrorCode[];

type DamageCode = (typeof damageCodes)[number];

const known: ReadonlySet<ErrorCode> = new Set(damageCodes);

export const isDamage = (thrown: unknown): thrown is HoldfastError & { readonly code: DamageCode } =>
  thrown instanceof HoldfastError && known.has(thrown.code);
