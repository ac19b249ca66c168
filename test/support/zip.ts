/**
 * ZIP files in the eyes of programs that share nothing with ours: Info-ZIP's unzip and zipinfo, and Python's zipfile. Besides, a
 * reader of ZIPs as streams, which sees only what comes by.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { crc32, inflateRawSync } from 'node:zlib';
import type { ZipSink } from '../../src/engine/export/zip-stream.ts';

export interface ToolRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function runTool(command: string, args: readonly string[], input = ''): Promise<ToolRun> {
  // Names are UTF-8 for unzip only where the locale says so.
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C.UTF-8' } });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (piece: Buffer) => stdout.push(piece));
  child.stderr.on('data', (piece: Buffer) => stderr.push(piece));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }));
  });
}

/** A ZIP without entries, of which unzip warns. */
const emptyBytes = 22;

/** Throws unless unzip finds the ZIP sound. */
export async function expectSoundZip(file: string): Promise<void> {
  if (statSync(file).size === emptyBytes) return;
  const { code, stdout, stderr } = await runTool('unzip', ['-tqq', file]);
  if (code !== 0 || stderr !== '' || stdout !== '')
    throw new Error(`unzip -t exited with ${code}:\n${stdout.slice(-4000)}${stderr.slice(-4000)}`);
}

/** Unpacks with owners, special bits, and names as they are. Throws unless unzip is content. */
export async function unzipTo(file: string, folder: string): Promise<void> {
  const { code, stdout, stderr } = await runTool('unzip', ['-qq', '-X', '-K', '-^', file, '-d', folder]);
  if (code !== 0 || stderr !== '') throw new Error(`unzip exited with ${code}:\n${stdout.slice(-4000)}${stderr.slice(-4000)}`);
}

/** What zipinfo says of one entry at length. */
export const zipinfo = (args: readonly string[]): Promise<ToolRun> => runTool('zipinfo', args);

/** An entry as Python sees it. */
export interface ZipEntryFacts {
  readonly name: string;
  readonly size: number;
  readonly compressed: number;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  /** st_mode. */
  readonly mode: number;
  /** Year, month, day, hour, minute, second. */
  readonly time: readonly number[];
  readonly utf8: boolean;
  readonly streamed: boolean;
  /** Extra fields of the central record by their number, as hexadecimal digits. */
  readonly extra: Readonly<Record<string, string>>;
  /** Of the content. */
  readonly sha256: string;
  readonly offset: number;
}

/** Every entry, each read to its end and its CRC compared; with `read` false only what the list says. Throws when Python does. */
export async function pythonZip(file: string, options: { read?: boolean } = {}): Promise<ZipEntryFacts[]> {
  const { code, stdout, stderr } = await runTool('/usr/bin/python3', ['-', file, String(options.read !== false)], reader);
  if (code !== 0) throw new Error(`Python cannot read the ZIP:\n${stderr}`);
  return JSON.parse(stdout) as ZipEntryFacts[];
}

const reader = String.raw`
import hashlib, json, struct, sys, zipfile
out = []
with zipfile.ZipFile(sys.argv[1]) as zip:
    for info in zip.infolist():
        digest = hashlib.sha256()
        if sys.argv[2] == 'true':
            with zip.open(info) as content:
                for piece in iter(lambda: content.read(1 << 20), b''):
                    digest.update(piece)
        extra, at = {}, 0
        while at + 4 <= len(info.extra):
            tag, length = struct.unpack_from('<HH', info.extra, at)
            extra['%04x' % tag] = info.extra[at + 4:at + 4 + length].hex()
            at += 4 + length
        assert at == len(info.extra), info.filename
        out.append({'name': info.filename, 'size': info.file_size, 'compressed': info.compress_size, 'method': info.compress_type,
            'mode': info.external_attr >> 16, 'time': list(info.date_time), 'utf8': bool(info.flag_bits & 0x800),
            'streamed': bool(info.flag_bits & 8), 'extra': extra, 'sha256': digest.hexdigest(), 'offset': info.header_offset})
sys.stdout.write(json.dumps(out))
`;

export const sha256Of = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** Takes a ZIP into memory. */
export class MemorySink implements ZipSink {
  readonly #pieces: Uint8Array[] = [];

  async write(bytes: Uint8Array): Promise<void> {
    this.#pieces.push(bytes);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }
}

/** An entry as it stands in the stream. */
export interface StreamedEntry {
  readonly name: string;
  readonly content: Buffer;
  /** Whether the content has the CRC and the sizes that the stream tells. */
  readonly isSound: boolean;
}

/** The entries of a ZIP read from its beginning, as whoever gets it through a pipe does. Throws when one cannot be told from the next. */
export function readStreamed(zip: Buffer): StreamedEntry[] {
  const entries: StreamedEntry[] = [];
  let at = 0;
  while (zip.readUInt32LE(at) === 0x04034b50) {
    const [flags, method] = [zip.readUInt16LE(at + 6), zip.readUInt16LE(at + 8)];
    let [crc, compressed, size] = [zip.readUInt32LE(at + 14), zip.readUInt32LE(at + 18), zip.readUInt32LE(at + 22)];
    const nameEnd = at + 30 + zip.readUInt16LE(at + 26);
    const name = zip.toString('utf8', at + 30, nameEnd);
    const start = nameEnd + zip.readUInt16LE(at + 28);
    let content: Buffer;
    if ((flags & 8) === 0) {
      const data = zip.subarray(start, start + compressed);
      content = method === 8 ? inflateRawSync(data) : data;
      at = start + compressed;
    } else {
      if (method !== 8) throw new Error(`nobody can tell where ${name} ends`);
      const { buffer, engine } = inflateRawSync(zip.subarray(start), { info: true }) as unknown as {
        buffer: Buffer;
        engine: { bytesWritten: number };
      };
      content = buffer;
      at = start + engine.bytesWritten;
      if (zip.readUInt32LE(at) !== 0x08074b50) throw new Error(`no sizes follow ${name}`);
      const read = engine.bytesWritten;
      [crc, compressed, size] = [zip.readUInt32LE(at + 4), zip.readUInt32LE(at + 8), zip.readUInt32LE(at + 12)];
      at += 16;
      if (compressed !== read) throw new Error(`${name} is said to take ${compressed} bytes, not ${read}`);
    }
    entries.push({ name, content, isSound: crc32(content) === crc && content.length === size });
  }
  return entries;
}
