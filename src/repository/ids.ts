/**
 * IDs: the SHA-256 of a blob's plaintext or of a file's stored bytes; 32 bytes in memory, 64 lower-case hexadecimal digits
 * in JSON and in file names. Lists of IDs are one Buffer of 32·n bytes: no object per ID.
 */
import { hash } from 'node:crypto';

/** Bytes of an ID. */
export const idBytes = 32;
/** Hexadecimal digits of an ID. */
export const idDigits = 64;

export const sha256 = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer');

const pattern = /^[0-9a-f]{64}$/;

export const isId = (text: unknown): text is string => typeof text === 'string' && pattern.test(text);

/** The bytes of an ID that {@link isId} has accepted. */
export const bytesOfId = (hex: string): Buffer => Buffer.from(hex, 'hex');

/** ASCII code → value of the hex digit; 0xff for all else. Upper case is read too, as restic does. */
const digitValues = new Uint8Array(256).fill(0xff);
for (let value = 0; value < 16; value++) {
  const digit = value.toString(16);
  digitValues[digit.charCodeAt(0)] = value;
  digitValues[digit.toUpperCase().charCodeAt(0)] = value;
}

/**
 * Reads 64 ASCII hex digits at `pos` of `text` into the 32 bytes at `outPos` of `out`. False, with those bytes undefined, if one
 * of them is no hex digit or `text` ends before.
 */
export function readHexId(text: Uint8Array, pos: number, out: Uint8Array, outPos: number): boolean {
  if (pos + idDigits > text.length) return false;
  let seen = 0;
  for (let i = 0; i < idBytes; i++) {
    const high = digitValues[text[pos]];
    const low = digitValues[text[pos + 1]];
    seen |= high | low;
    out[outPos + i] = (high << 4) | low;
    pos += 2;
  }
  return seen < 0x10;
}
