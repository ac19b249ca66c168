/** The keys of a repository, and what every item sealed with them has in common. */
import { randomBytes } from 'node:crypto';

/** What decrypts and authenticates everything in a repository but its key files. */
export interface MasterKey {
  /** AES-256 key, 32 bytes. */
  readonly encrypt: Buffer;
  /** AES-128 key k of the MAC, 16 bytes. */
  readonly macK: Buffer;
  /** r of the MAC, 16 bytes; clamped when used, so it need not be stored clamped. */
  readonly macR: Buffer;
}

export function randomMasterKey(): MasterKey {
  return { encrypt: randomBytes(32), macK: randomBytes(16), macR: randomBytes(16) };
}

/** Bytes of an IV, of a MAC, and of AES's blocks. */
export const block = 16;
/** What an item is longer than its plaintext, in bytes. */
export const sealOverhead = 2 * block;
