/** Reads the beginning of a file as text, in whatever encoding it is; tells pictures by their first bytes. */

/** Bytes in which a text has no NUL. */
const looked = 8192;

export const encodings = ['utf-8', 'utf-16le', 'utf-16be', 'gb18030', 'windows-1252'] as const;
type Encoding = (typeof encodings)[number];

export interface DecodedText {
  readonly text: string;
  readonly encoding: Encoding;
}

/** Undefined for what is no text. `isCut`: there is more of it, so that a character at the end may be half of one. */
export function decodeText(bytes: Buffer, isCut: boolean): DecodedText | undefined {
  const marked = byMark(bytes);
  if (marked) return decoded(bytes, marked, isCut);
  if (bytes.subarray(0, looked).includes(0)) return undefined;
  const utf8 = decoded(bytes, 'utf-8', isCut);
  if (utf8) return utf8;
  const chinese = isChinese(bytes) ? decoded(bytes, 'gb18030', isCut) : undefined;
  if (chinese) return chinese;
  const western = decoded(bytes, 'windows-1252', isCut);
  return western && isMostly(western.text, /[\u00c0-\u00ff\u2013-\u2022\u20ac]/u) ? western : undefined;
}

function byMark(bytes: Buffer): Encoding | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return undefined;
}

function decoded(bytes: Buffer, encoding: Encoding, isCut: boolean): DecodedText | undefined {
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: isCut });
    return hasControls(text) ? undefined : { text, encoding };
  } catch {
    return undefined;
  }
}

/** Whether more than a few characters are ones that no text has. */
function hasControls(text: string): boolean {
  let controls = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    // Tab, line feed, form feed, return and escape are in logs and sources.
    if ((code < 0x20 && code !== 9 && code !== 10 && code !== 12 && code !== 13 && code !== 27) || (code >= 0x7f && code < 0xa0))
      controls += 1;
  }
  return controls > text.length / 200;
}

/** Characters that are in use have two bytes above 0xA0 (GB 2312); accents of western languages stand between plain letters. */
function isChinese(bytes: Buffer): boolean {
  let [pairs, others] = [0, 0];
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at]! < 0x80) continue;
    if (bytes[at]! > 0xa0 && bytes[at + 1]! > 0xa0) {
      pairs += 1;
      at += 1;
    } else others += 1;
  }
  return pairs > others * 9;
}

/** Of the characters that are no ASCII. */
function isMostly(text: string, wanted: RegExp): boolean {
  let [others, found] = [0, 0];
  for (const character of text) {
    if (character.charCodeAt(0) < 0x80) continue;
    others += 1;
    if (wanted.test(character)) found += 1;
  }
  return others > 0 && found > others * 0.8;
}

export type PictureType = 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp' | 'image/bmp' | 'image/avif' | 'image/x-icon';

/** Of kinds that browsers draw and that hold no program. */
export function pictureType(bytes: Buffer): PictureType | undefined {
  const begins = (hex: string, at = 0): boolean => bytes.subarray(at, at + hex.length / 2).toString('hex') === hex;
  if (begins('89504e470d0a1a0a')) return 'image/png';
  if (begins('ffd8ff')) return 'image/jpeg';
  if (begins('474946383761') || begins('474946383961')) return 'image/gif';
  if (begins('52494646') && begins('57454250', 8)) return 'image/webp';
  if (begins('424d') && bytes.length > 14 && bytes.readUInt32LE(6) === 0) return 'image/bmp';
  if (begins('66747970', 4) && /^avi[fs]/.test(bytes.toString('latin1', 8, 12))) return 'image/avif';
  if (begins('00000100') && bytes.length > 6 && bytes.readUInt16LE(4) > 0 && bytes.readUInt16LE(4) < 256) return 'image/x-icon';
  return undefined;
}
