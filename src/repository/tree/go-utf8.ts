/**
 * UTF-8 as Go reads it: a byte that starts no valid sequence stands alone and counts as U+FFFD.
 * JavaScript's decoders merge several such bytes into one U+FFFD, which would change restic's texts.
 * Source: Go, package unicode/utf8 (DecodeRune).
 */

/** What {@link decodeRune} gives for a byte that starts no valid sequence; its width is one byte. */
export const INVALID_RUNE = -1;

/** The code point that starts at `pos` (before `end`), or {@link INVALID_RUNE}. Overlong forms and surrogates are invalid. */
export function decodeRune(bytes: Uint8Array, pos: number, end: number): number {
  const first = bytes[pos];
  if (first < 0x80) return first;
  if (first < 0xc2 || first > 0xf4 || pos + 1 >= end) return INVALID_RUNE;
  const second = bytes[pos + 1];
  if ((second & 0xc0) !== 0x80) return INVALID_RUNE;
  if (first < 0xe0) return ((first & 0x1f) << 6) | (second & 0x3f);

  if (pos + 2 >= end) return INVALID_RUNE;
  const third = bytes[pos + 2];
  if ((third & 0xc0) !== 0x80) return INVALID_RUNE;
  if (first < 0xf0) {
    const rune = ((first & 0x0f) << 12) | ((second & 0x3f) << 6) | (third & 0x3f);
    return rune < 0x800 || (rune >= 0xd800 && rune <= 0xdfff) ? INVALID_RUNE : rune;
  }

  if (pos + 3 >= end) return INVALID_RUNE;
  const fourth = bytes[pos + 3];
  if ((fourth & 0xc0) !== 0x80) return INVALID_RUNE;
  const rune = ((first & 0x07) << 18) | ((second & 0x3f) << 12) | ((third & 0x3f) << 6) | (fourth & 0x3f);
  return rune < 0x10000 || rune > 0x10ffff ? INVALID_RUNE : rune;
}

/** How many bytes the UTF-8 form of `rune` takes; one for {@link INVALID_RUNE}. */
export function runeWidth(rune: number): number {
  if (rune < 0x80) return 1;
  if (rune < 0x800) return 2;
  return rune < 0x10000 ? 3 : 4;
}

/** Writes `rune` as UTF-8 at `pos` of `out` and returns the position after it. */
export function encodeRune(rune: number, out: Uint8Array, pos: number): number {
  if (rune < 0x80) {
    out[pos++] = rune;
  } else if (rune < 0x800) {
    out[pos++] = 0xc0 | (rune >> 6);
    out[pos++] = 0x80 | (rune & 0x3f);
  } else if (rune < 0x10000) {
    out[pos++] = 0xe0 | (rune >> 12);
    out[pos++] = 0x80 | ((rune >> 6) & 0x3f);
    out[pos++] = 0x80 | (rune & 0x3f);
  } else {
    out[pos++] = 0xf0 | (rune >> 18);
    out[pos++] = 0x80 | ((rune >> 12) & 0x3f);
    out[pos++] = 0x80 | ((rune >> 6) & 0x3f);
    out[pos++] = 0x80 | (rune & 0x3f);
  }
  return pos;
}
