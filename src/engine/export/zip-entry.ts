/** Entries on their way between threads: many in one list of bytes, without an object for each. */
import { joinList, splitList } from '../../platform/byte-list.ts';
import type { ZipEntry } from './zip-format.ts';

/** An entry that is to be written. */
export interface EntryToZip extends ZipEntry {
  /** Where it stands in the snapshot; empty when that is its name in the ZIP below the folder that is exported. */
  readonly path: Uint8Array;
  /** Of a file: the IDs of its blobs; of a link: its target; of a folder: nothing. */
  readonly content: Uint8Array;
  /** Of the content, in bytes. */
  readonly size: number;
  /** The repository holds it uncompressed, so that it probably cannot be compressed. */
  readonly isDense: boolean;
}

const factBytes = 40;
const itemsPerEntry = 4;

/** Collects entries. */
export class EntryListBuilder {
  readonly #items: Uint8Array[] = [];

  get length(): number {
    return this.#items.length / itemsPerEntry;
  }

  add({ name, path, content, mode, mtimeNs, uid, gid, size, isDense }: EntryToZip): void {
    const facts = Buffer.alloc(factBytes);
    // A time may lie beyond 64 bits of nanoseconds.
    const seconds = mtimeNs / 1_000_000_000n;
    facts.writeDoubleLE(Number(seconds), 0);
    facts.writeInt32LE(Number(mtimeNs % 1_000_000_000n), 8);
    facts.writeUInt32LE(mode, 12);
    facts.writeUInt32LE(uid, 16);
    facts.writeUInt32LE(gid, 20);
    facts.writeDoubleLE(size, 24);
    facts[32] = isDense ? 1 : 0;
    this.#items.push(name, path, content, facts);
  }

  take(): Uint8Array<ArrayBuffer> {
    return joinList(this.#items.splice(0));
  }
}

/** The entries of a list; their bytes are views on it. */
export function* entriesOfList(list: Uint8Array): Generator<EntryToZip> {
  const items = splitList(list);
  for (let i = 0; i < items.length; i += itemsPerEntry) {
    const facts = items[i + 3];
    yield {
      name: items[i],
      path: items[i + 1],
      content: items[i + 2],
      mtimeNs: BigInt(facts.readDoubleLE(0)) * 1_000_000_000n + BigInt(facts.readInt32LE(8)),
      mode: facts.readUInt32LE(12),
      uid: facts.readUInt32LE(16),
      gid: facts.readUInt32LE(20),
      size: facts.readDoubleLE(24),
      isDense: facts[32] === 1,
    };
  }
}
