import { closeSync, openSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { centralRecord, localHeader, methods, type ZipEntry } from '../../../src/engine/export/zip-format.ts';
import { ZipStream } from '../../../src/engine/export/zip-stream.ts';
import { scratch } from '../../support/tree-literal.ts';
import { expectSoundZip, MemorySink, pythonZip, readStreamed, sha256Of, type ZipEntryFacts, zipinfo } from '../../support/zip.ts';

const entry = (name: string, more: Partial<ZipEntry> = {}): ZipEntry => ({
  name: Buffer.from(name),
  mode: 0o100644,
  mtimeNs: 1_700_000_001_123_456_789n,
  uid: 1000,
  gid: 4_000_000_000,
  ...more,
});

/** Adds stored files as a worker makes them. */
async function addStored(zip: ZipStream, files: readonly [ZipEntry, string][]): Promise<void> {
  const bytes: Buffer[] = [];
  const records: Buffer[] = [];
  let at = 0;
  for (const [each, text] of files) {
    const content = Buffer.from(text);
    const data = { method: methods.stored, crc: crc32(content), compressed: content.length, size: content.length };
    records.push(centralRecord(each, data, at, false));
    bytes.push(localHeader(each, data), content);
    at += bytes.at(-2)!.length + content.length;
  }
  await zip.add(Buffer.concat(bytes), Buffer.concat(records), files.length);
}

async function addStreamed(zip: ZipStream, each: ZipEntry, content: Buffer): Promise<void> {
  await zip.begin(each, content.length);
  await zip.piece(deflateRawSync(content));
  await zip.end(crc32(content), content.length);
}

async function fileOf(make: (zip: ZipStream) => Promise<void>): Promise<string> {
  const sink = new MemorySink();
  const zip = new ZipStream(sink);
  await make(zip);
  await zip.finish();
  expect(sink.bytes.length).toBe(zip.offset);
  const file = join(scratch('zip'), 'made.zip');
  writeFileSync(file, sink.bytes);
  return file;
}

describe('a ZIP', () => {
  test('of stored and streamed entries is read by others as it was meant', async () => {
    const content = Buffer.from('some words, again and again. '.repeat(4000));
    const file = await fileOf(async (zip) => {
      await addStored(zip, [
        [entry('folder/', { mode: 0o042755 }), ''],
        [entry('folder/日本.txt', { mode: 0o100400 }), 'hello'],
      ]);
      await addStreamed(zip, entry('streamed', { mode: 0o104755 }), content);
      await addStored(zip, [[entry('link', { mode: 0o120777 }), 'folder/日本.txt']]);
    });
    await expectSoundZip(file);
    const [folder, small, streamed, link] = await pythonZip(file);
    expect(folder).toMatchObject({ name: 'folder/', mode: 0o042755, size: 0, utf8: true });
    expect(small).toMatchObject({ name: 'folder/日本.txt', mode: 0o100400, method: 0, sha256: sha256Of('hello'), streamed: false });
    expect(streamed).toMatchObject({ mode: 0o104755, method: 8, size: content.length, sha256: sha256Of(content), streamed: true });
    expect(link).toMatchObject({ mode: 0o120777, sha256: sha256Of('folder/日本.txt') });
    const { stdout } = await zipinfo(['-v', file]);
    expect(stdout).toContain('Unix file attributes (104755 octal)');
    expect(stdout).toContain('minimum software version required to extract:   2.0');
  });

  test('tells the time to the second in UTC and to 100 ns, and the owner', async () => {
    const file = await fileOf((zip) =>
      addStored(zip, [
        [entry('a'), 'a'],
        [entry('whole', { mtimeNs: 1_700_000_000n * 10n ** 9n }), 'b'],
      ]),
    );
    const [a, whole] = await pythonZip(file);
    expect(a!.extra['5455']).toBe(`01${hex32(1_700_000_001)}`);
    const ticks = Buffer.from(a!.extra['000a']!, 'hex').readBigInt64LE(8);
    expect(ticks).toBe((1_700_000_001_123_456_700n - -11_644_473_600_000_000_000n) / 100n);
    expect(a!.extra['7875']).toBe(`0104${hex32(1000)}04${hex32(4_000_000_000)}`);
    expect(Object.keys(whole!.extra)).toEqual(['5455', '7875']);
  });

  test.each<[string, bigint, number[]]>([
    ['before 1980', -5n * 10n ** 18n, [1980, 1, 1, 0, 0, 0]],
    ['after 2107', 5n * 10n ** 18n, [2107, 12, 31, 23, 59, 58]],
    ['in year 9999', 253_402_300_799n * 10n ** 9n, [2107, 12, 31, 23, 59, 58]],
    ['long before 1601', -62_135_596_800n * 10n ** 9n, [1980, 1, 1, 0, 0, 0]],
  ])('says the nearest that it can of a time %s, and the rest elsewhere', async (_, mtimeNs, time) => {
    const file = await fileOf((zip) => addStored(zip, [[entry('a', { mtimeNs }), 'a']]));
    await expectSoundZip(file);
    const [{ time: seen, extra }] = (await pythonZip(file)) as [ZipEntryFacts, ...ZipEntryFacts[]];
    expect(seen).toEqual(time);
    expect(extra['5455']).toBeUndefined();
    const ntfs = extra['000a'];
    if (mtimeNs < -11_644_473_600n * 10n ** 9n) expect(ntfs).toBeUndefined();
    else expect(Buffer.from(ntfs!, 'hex').readBigInt64LE(8)).toBe(mtimeNs / 100n + 116_444_736_000_000_000n);
  });

  test('whose streamed entry could not be finished does not list it, and whoever reads the stream sees that it is not sound', async () => {
    const sink = new MemorySink();
    const zip = new ZipStream(sink);
    const content = Buffer.from('half of what was meant');
    await addStored(zip, [[entry('before'), 'before']]);
    await zip.begin(entry('broken'), 5_000_000);
    await zip.piece(deflateRawSync(content, { finishFlush: 2 }));
    await zip.abandon(crc32(content), content.length);
    await addStored(zip, [[entry('after'), 'after']]);
    await zip.finish();
    const file = join(scratch('zip'), 'made.zip');
    writeFileSync(file, sink.bytes);
    await expectSoundZip(file);
    expect((await pythonZip(file)).map(({ name, sha256 }) => [name, sha256])).toEqual([
      ['before', sha256Of('before')],
      ['after', sha256Of('after')],
    ]);
    expect(readStreamed(sink.bytes).map(({ name, isSound }) => [name, isSound])).toEqual([
      ['before', true],
      ['broken', false],
      ['after', true],
    ]);
  });

  test('of nothing is one', async () => {
    const file = await fileOf(async () => {});
    expect(await pythonZip(file)).toEqual([]);
  });
});

describe('more than a ZIP was made for', () => {
  test.each([65_534, 65_535, 65_536, 70_001])('%i entries are all there', async (count) => {
    const file = await fileOf(async (zip) => {
      for (let at = 0; at < count; at += 1000) {
        const files = Array.from({ length: Math.min(1000, count - at) }, (_, i): [ZipEntry, string] => [entry(`f${at + i}`), '']);
        await addStored(zip, files);
      }
    });
    await expectSoundZip(file);
    const entries = await pythonZip(file, { read: false });
    expect(entries.length).toBe(count);
    expect(entries.at(-1)!.name).toBe(`f${count - 1}`);
  });

  test.each([
    ['just below 4 GiB', 2 ** 32 - 100],
    ['at 4 GiB', 2 ** 32 - 1],
    ['beyond 4 GiB', 2 ** 32 + 5],
    ['beyond 1 TiB', 2 ** 40],
  ])('entries that begin %s are found', async (_, start) => {
    // Nothing stands before them, which takes no space on the disk.
    const file = join(scratch('zip'), 'made.zip');
    writeFileSync(file, '');
    truncateSync(file, start);
    const fd = openSync(file, 'r+');
    let at = start;
    const zip = new ZipStream(
      {
        async write(bytes) {
          at += writeSync(fd, bytes, 0, bytes.length, at);
        },
      },
      start,
    );
    await addStored(
      zip,
      Array.from({ length: 5 }, (__, i) => [entry(`small ${i}`), `content ${i}`]),
    );
    await addStreamed(zip, entry('streamed'), Buffer.from('streamed content'));
    await addStored(zip, [[entry('last'), 'last']]);
    await zip.finish();
    closeSync(fd);
    await expectSoundZip(file);
    const entries = await pythonZip(file);
    expect(entries.map(({ name, sha256 }) => [name, sha256])).toEqual([
      ...Array.from({ length: 5 }, (__, i) => [`small ${i}`, sha256Of(`content ${i}`)]),
      ['streamed', sha256Of('streamed content')],
      ['last', sha256Of('last')],
    ]);
    expect(entries[0]!.offset).toBe(start);
  });

  test('a file of more than 4 GiB tells its sizes in 64 bits', async () => {
    // Of a content that only its length and CRC tell of.
    const size = 2 ** 32 + 7;
    const sink = new MemorySink();
    const zip = new ZipStream(sink);
    await zip.begin(entry('huge'), size);
    await zip.piece(deflateRawSync('not all of it'));
    await zip.end(4711, size);
    await zip.finish();
    const file = join(scratch('zip'), 'made.zip');
    writeFileSync(file, sink.bytes);
    const [huge] = await pythonZip(file, { read: false });
    expect(huge).toMatchObject({ size, streamed: true });
    const { stdout } = await zipinfo(['-v', file]);
    expect(stdout).toContain('minimum software version required to extract:   4.5');
    expect(stdout).toMatch(new RegExp(`uncompressed size: +${size} bytes`));
    // Signature, CRC, and both sizes in eight bytes each.
    const descriptor = sink.bytes.indexOf(Buffer.from('504b0708', 'hex'));
    expect(sink.bytes.readBigUInt64LE(descriptor + 16)).toBe(BigInt(size));
    expect(sink.bytes.readUInt32LE(descriptor + 24)).toBe(0x02014b50);
  });
});

function hex32(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes.toString('hex');
}
