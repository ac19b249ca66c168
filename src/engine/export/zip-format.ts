/**
 * The records of a ZIP file as bytes. Source: PKWARE's APPNOTE.TXT 6.3.10 (its sections are named below), and for the extra
 * fields of Unix and Windows Info-ZIP's proginfo/extrafld.txt.
 *
 * An *entry* is a file, folder or link in a ZIP. Its *local header* stands before its data; its *central record* stands in the
 * list at the end, which is what readers go by. Sizes and offsets of 4 GiB and more, and counts of 65,535 and more, do not fit
 * the original fields: these then hold all ones, and the real value stands in a *ZIP64* field (4.5.3) or record.
 *
 * What every entry tells: its name in UTF-8 (flag bit 11, 4.4.4), who made it (Unix, so that the mode counts, 4.4.2), the time of
 * change three times: in local time to two seconds (4.4.6), in UTC to the second (0x5455), and in the central record to 100 ns
 * when it has such a part or lies beyond what 32 bits of seconds can say (NTFS's field 0x000a, 4.5.5); and its owner (0x7875).
 */

/** What both headers of an entry say about it. */
export interface ZipEntry {
  /** UTF-8 with `/` between the names, at most 65,535 bytes; that of a folder ends in a slash. */
  readonly name: Uint8Array;
  /** st_mode. */
  readonly mode: number;
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  readonly uid: number;
  readonly gid: number;
}

const S_TYPE = 0o170000;
const S_FOLDER = 0o040000;
const S_LINK = 0o120000;

export const isFolderMode = (mode: number): boolean => (mode & S_TYPE) === S_FOLDER;
export const isLinkMode = (mode: number): boolean => (mode & S_TYPE) === S_LINK;

export const methods = { stored: 0, deflated: 8 } as const;

/** Of an entry's data, in bytes where not said otherwise. */
export interface ZipData {
  readonly method: (typeof methods)[keyof typeof methods];
  /** CRC-32 of the content. */
  readonly crc: number;
  /** As it stands in the ZIP. */
  readonly compressed: number;
  /** Of the content. */
  readonly size: number;
}

/** 4.3.7 */
const localSignature = 0x04034b50;
const localBytes = 30;
/** 4.3.9.3 */
const descriptorSignature = 0x08074b50;
/** 4.3.12 */
const centralSignature = 0x02014b50;
const centralBytes = 46;
/** 4.3.14 */
const zip64EndSignature = 0x06064b50;
const zip64EndBytes = 56;
/** 4.3.15 */
const zip64LocatorSignature = 0x07064b50;
const zip64LocatorBytes = 20;
/** 4.3.16 */
const endSignature = 0x06054b50;
const endBytes = 22;

const all16 = 0xffff;
const all32 = 0xffff_ffff;

/** 4.4.4: the sizes follow the data; the name is UTF-8. */
const flagStreamed = 1 << 3;
const flagUtf8 = 1 << 11;
/** 4.4.3.2: folders and deflate; ZIP64. */
const needsUsual = 20;
const needsZip64 = 45;
/** 4.4.2.2: Unix, by this version of the specification. */
const madeBy = (3 << 8) | 63;
/** Attributes as MS-DOS has them, for those who know no others. */
const dosReadOnly = 0x01;
const dosFolder = 0x10;

const zip64Tag = 0x0001;
const ntfsTag = 0x000a;
const timeTag = 0x5455;
const ownerTag = 0x7875;

export const longestName = all16;

/** Content from this size on is written with ZIP64 fields: compressed it may be a little longer. In bytes. */
const zip64From = all32 - (16 << 20);

/** Whether an entry whose content has `size` bytes, and whose sizes are told behind its data, needs fields of 64 bits there. */
export const isLarge = (size: number): boolean => size >= zip64From;

/** The header of an entry whose sizes are known; they must not be large. */
export function localHeader(entry: ZipEntry, { method, crc, compressed, size }: ZipData): Buffer {
  return local(entry, method, 0, needsUsual, localExtra(entry), crc, compressed, size);
}

/** The header of an entry whose sizes follow its data, which is deflated: a reader of the stream could not find the end of any other. */
export function streamedHeader(entry: ZipEntry, large: boolean): Buffer {
  const extra = large ? [...localExtra(entry), field(zip64Tag, 16, () => {})] : localExtra(entry);
  // With the field there readers expect 64 bits behind the data, whatever it holds (4.3.9.2).
  const unknown = large ? all32 : 0;
  return local(entry, methods.deflated, flagStreamed, large ? needsZip64 : needsUsual, extra, 0, unknown, unknown);
}

/** What follows the data of a streamed entry (4.3.9). */
export function dataDescriptor({ crc, compressed, size }: Omit<ZipData, 'method'>, large: boolean): Buffer {
  const out = Buffer.alloc(large ? 24 : 16);
  out.writeUInt32LE(descriptorSignature, 0);
  out.writeUInt32LE(crc, 4);
  if (large) {
    writeUInt64(out, compressed, 8);
    writeUInt64(out, size, 16);
  } else {
    out.writeUInt32LE(compressed, 8);
    out.writeUInt32LE(size, 12);
  }
  return out;
}

/** An entry's record in the list at the end; `offset` is where its local header begins. */
export function centralRecord(entry: ZipEntry, data: ZipData, offset: number, streamed: boolean): Buffer {
  const { name, mode } = entry;
  const { method, crc, compressed, size } = data;
  // The order of the values is laid down (4.5.3). What is large is told in both places as such, so that both agree.
  const large = streamed && isLarge(size);
  const values = [...(large || size >= all32 || compressed >= all32 ? [size, compressed] : []), ...(offset >= all32 ? [offset] : [])];
  const extra = [timeField(entry), ownerField(entry), ...ntfsField(entry), ...(values.length > 0 ? [zip64Field(values)] : [])];
  const extraBytes = extra.reduce((sum, { length }) => sum + length, 0);
  const head = Buffer.alloc(centralBytes);
  const { date, time } = dosTime(entry.mtimeNs);
  const sizesElsewhere = values.length >= 2;
  head.writeUInt32LE(centralSignature, 0);
  head.writeUInt16LE(madeBy, 4);
  head.writeUInt16LE(values.length > 0 ? needsZip64 : needsUsual, 6);
  head.writeUInt16LE(flagUtf8 | (streamed ? flagStreamed : 0), 8);
  head.writeUInt16LE(method, 10);
  head.writeUInt16LE(time, 12);
  head.writeUInt16LE(date, 14);
  head.writeUInt32LE(crc, 16);
  head.writeUInt32LE(sizesElsewhere ? all32 : compressed, 20);
  head.writeUInt32LE(sizesElsewhere ? all32 : size, 24);
  head.writeUInt16LE(name.length, 28);
  head.writeUInt16LE(extraBytes, 30);
  head.writeUInt32LE(externalAttributes(mode), 38);
  head.writeUInt32LE(offset >= all32 ? all32 : offset, offsetAt);
  return Buffer.concat([head, name, ...extra]);
}

/** Where a central record holds the offset of the local header, and the lengths that make up its own. */
const offsetAt = 42;

/** Central records that were made for local headers counted from 0, for the same headers counted from `start`. */
export function moveRecords(records: Buffer, start: number): Buffer {
  let out: Buffer[] | undefined;
  let copied = 0;
  for (let at = 0; at < records.length; ) {
    const nameLength = records.readUInt16LE(at + 28);
    const extraLength = records.readUInt16LE(at + 30);
    const end = at + centralBytes + nameLength + extraLength;
    const offset = records.readUInt32LE(at + offsetAt) + start;
    if (offset < all32) records.writeUInt32LE(offset, at + offsetAt);
    else {
      records.writeUInt32LE(all32, at + offsetAt);
      records.writeUInt16LE(needsZip64, at + 6);
      const more = zip64Field([offset]);
      records.writeUInt16LE(extraLength + more.length, at + 30);
      (out ??= []).push(records.subarray(copied, end), more);
      copied = end;
    }
    at = end;
  }
  return out ? Buffer.concat([...out, records.subarray(copied)]) : records;
}

/** What ends a ZIP: `entries` central records of `bytes` bytes together that begin at `offset`. */
export function endRecords(entries: number, offset: number, bytes: number): Buffer {
  const isZip64 = entries >= all16 || offset >= all32 || bytes >= all32;
  const end = Buffer.alloc(endBytes);
  end.writeUInt32LE(endSignature, 0);
  end.writeUInt16LE(Math.min(entries, all16), 8);
  end.writeUInt16LE(Math.min(entries, all16), 10);
  end.writeUInt32LE(Math.min(bytes, all32), 12);
  end.writeUInt32LE(Math.min(offset, all32), 16);
  if (!isZip64) return end;
  const zip64 = Buffer.alloc(zip64EndBytes);
  zip64.writeUInt32LE(zip64EndSignature, 0);
  writeUInt64(zip64, zip64EndBytes - 12, 4);
  zip64.writeUInt16LE(madeBy, 12);
  zip64.writeUInt16LE(needsZip64, 14);
  writeUInt64(zip64, entries, 24);
  writeUInt64(zip64, entries, 32);
  writeUInt64(zip64, bytes, 40);
  writeUInt64(zip64, offset, 48);
  const locator = Buffer.alloc(zip64LocatorBytes);
  locator.writeUInt32LE(zip64LocatorSignature, 0);
  writeUInt64(locator, offset + bytes, 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([zip64, locator, end]);
}

function local(
  { name, mtimeNs }: ZipEntry,
  method: number,
  flags: number,
  needs: number,
  extra: readonly Buffer[],
  crc: number,
  compressed: number,
  size: number,
): Buffer {
  const head = Buffer.alloc(localBytes);
  const { date, time } = dosTime(mtimeNs);
  head.writeUInt32LE(localSignature, 0);
  head.writeUInt16LE(needs, 4);
  head.writeUInt16LE(flagUtf8 | flags, 6);
  head.writeUInt16LE(method, 8);
  head.writeUInt16LE(time, 10);
  head.writeUInt16LE(date, 12);
  head.writeUInt32LE(crc, 14);
  head.writeUInt32LE(compressed, 18);
  head.writeUInt32LE(size, 22);
  head.writeUInt16LE(name.length, 26);
  head.writeUInt16LE(
    extra.reduce((sum, { length }) => sum + length, 0),
    28,
  );
  return Buffer.concat([head, name, ...extra]);
}

const localExtra = (entry: ZipEntry): Buffer[] => [timeField(entry), ownerField(entry)];

function field(tag: number, bytes: number, fill: (out: Buffer, at: number) => void): Buffer {
  const out = Buffer.alloc(4 + bytes);
  out.writeUInt16LE(tag, 0);
  out.writeUInt16LE(bytes, 2);
  fill(out, 4);
  return out;
}

const zip64Field = (values: readonly number[]): Buffer =>
  field(zip64Tag, 8 * values.length, (out, at) => values.forEach((value, i) => writeUInt64(out, value, at + 8 * i)));

const nsPerSecond = 1_000_000_000n;

/** Rounded down, also before 1970. */
const secondsOf = (ns: bigint): bigint => ns / nsPerSecond - (ns % nsPerSecond < 0n ? 1n : 0n);

const fitsSeconds = (seconds: bigint): boolean => seconds >= -(2n ** 31n) && seconds < 2n ** 31n;

/** Empty where 32 bits cannot tell the time. */
function timeField({ mtimeNs }: ZipEntry): Buffer {
  const seconds = secondsOf(mtimeNs);
  if (!fitsSeconds(seconds)) return nothing;
  return field(timeTag, 5, (out, at) => {
    // Only the time of change is given.
    out[at] = 1;
    out.writeInt32LE(Number(seconds), at + 1);
  });
}

const nothing = Buffer.alloc(0);

const ownerField = ({ uid, gid }: ZipEntry): Buffer =>
  field(ownerTag, 11, (out, at) => {
    out[at] = 1;
    out[at + 1] = 4;
    out.writeUInt32LE(uid, at + 2);
    out[at + 6] = 4;
    out.writeUInt32LE(gid, at + 7);
  });

/** From 1601 to 1970, in units of 100 ns. */
const ntfsEpoch = 116_444_736_000_000_000n;

function ntfsField({ mtimeNs }: ZipEntry): Buffer[] {
  const ticks = ntfsEpoch + (mtimeNs - (((mtimeNs % 100n) + 100n) % 100n)) / 100n;
  const isNeeded = mtimeNs % nsPerSecond !== 0n || !fitsSeconds(secondsOf(mtimeNs));
  if (!isNeeded || ticks < 0n || ticks >= 2n ** 63n) return [];
  const one = field(ntfsTag, 32, (out, at) => {
    out.writeUInt16LE(1, at + 4);
    out.writeUInt16LE(24, at + 6);
    // Changed, read, made: only the first is known.
    for (let i = 0; i < 3; i++) out.writeBigInt64LE(ticks, at + 8 + 8 * i);
  });
  return [one];
}

const firstDosYear = 1980;
const lastDosYear = 2107;

/** In the local time of this computer, as ZIP wants it (4.4.6), rounded down to 2 seconds; the nearest that can be told. */
function dosTime(ns: bigint): { date: number; time: number } {
  const ms = Number(secondsOf(ns)) * 1000;
  const local = new Date(ms);
  const year = Math.abs(ms) <= 8.64e15 ? local.getFullYear() : ms < 0 ? 0 : lastDosYear + 1;
  if (year < firstDosYear) return { date: (1 << 5) | 1, time: 0 };
  if (year > lastDosYear) return { date: ((lastDosYear - firstDosYear) << 9) | (12 << 5) | 31, time: (23 << 11) | (59 << 5) | 29 };
  return {
    date: ((year - firstDosYear) << 9) | ((local.getMonth() + 1) << 5) | local.getDate(),
    time: (local.getHours() << 11) | (local.getMinutes() << 5) | (local.getSeconds() >> 1),
  };
}

function externalAttributes(mode: number): number {
  const dos = (isFolderMode(mode) ? dosFolder : 0) | ((mode & 0o200) === 0 ? dosReadOnly : 0);
  return (((mode & all16) << 16) | dos) >>> 0;
}

function writeUInt64(out: Buffer, value: number, at: number): void {
  out.writeUInt32LE(value % 2 ** 32, at);
  out.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4);
}
