/** Which errors tell of damage in the repository rather than of a run that cannot go on. */
import { type ErrorCode, HoldfastError } from '../../contract/errors.ts';

const damageCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
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
]);

export const isDamage = (thrown: unknown): thrown is HoldfastError => thrown instanceof HoldfastError && damageCodes.has(thrown.code);
