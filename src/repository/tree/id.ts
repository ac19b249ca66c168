/**
 * Blob IDs between their two forms: 32 bytes in memory, 64 lower-case hexadecimal digits in JSON and in file names.
 * Lists of IDs are one Buffer of 32·n bytes: no object per ID.
 */

/** Bytes of an ID (a SHA-256). */
export const ID_BYTES = 32;
/** Hexadecimal digits of an ID. */
export const ID_DIGITS = 64;

/** ASCII code → value of the hex digit; 0xff for all else. Upper case is read too, as restic does. */
const DIGIT_VALUES = new Uint8Array(256).fill(0xff);
for (let value = 0; value < 16; value++) {
  const digit = value.toString(16);
  DIGIT_VALUES[digit.charCodeAt(0)] = value;
  DIGIT_VALUES[digit.toUpperCase().charCodeAt(0)] = value;
}

/** The hex form of the ID that starts at byte `offset` of `ids`. */
export const idToHex = (ids: Buffer, offset = 0): string => ids.toString('hex', offset, offset + ID_BYTES);

/** The ID as bytes, or undefined if `hex` is not 64 hex digits. */
export function idFromHex(hex: string): Buffer | undefined {
  if (hex.length !== ID_DIGITS) return undefined;
  const id = Buffer.allocUnsafe(ID_BYTES);
  return id.write(hex, 'hex') === ID_BYTES ? id : undefined;
}

/** How many IDs a concatenated list holds. */
export const idCount = (ids: Uint8Array): number => ids.length / ID_BYTES;

/** The hex forms of a concatenated list of IDs, in order. */
export function idsToHex(ids: Buffer): string[] {
  const hex = ids.toString('hex');
  const out: string[] = [];
  for (let at = 0; at < hex.length; at += ID_DIGITS) out.push(hex.substring(at, at + ID_DIGITS));
  return out;
}

/**
 * Reads 64 ASCII hex digits at `pos` of `text` into the 32 bytes at `outPos` of `out`. False, with those bytes undefined, if one
 * of them is no hex digit or `text` ends before.
 */
export function readHexId(text: Uint8Array, pos: number, out: Uint8Array, outPos: number): boolean {
  if (pos + ID_DIGITS > text.length) return false;
  let seen = 0;
  for (let i = 0; i < ID_BYTES; i++) {
    const high = DIGIT_VALUES[text[pos]];
    const low = DIGIT_VALUES[text[pos + 1]];
    seen |= high | low;
    out[outPos + i] = (high << 4) | low;
    pos += 2;
  }
  return seen < 0x10;
}
