/**
 * What a job has at hand inside a worker: everything is synchronous, and buffers are reused from job to job.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { type MessagePort, receiveMessageOnPort, type Transferable } from 'node:worker_threads';
import { errorFromJSON, fail, hasCode, HoldfastError } from '../../contract/errors.ts';
import { RunControl } from '../../platform/cancellation.ts';
import { BlobEncoder, decodeBlob } from '../../repository/blob-codec.ts';
import { BlobIndex, type BlobLocation, type BlobType, emptyLocation } from '../../repository/blob-index.ts';
import { Sealer } from '../../repository/crypto.ts';
import { sha256 } from '../../repository/ids.ts';
import type { Kernel } from '../../repository/kernel/kernel.ts';
import { type FinishedPack, Packer, type UnfinishedPack } from '../../repository/packer.ts';
import type { Node } from '../../repository/tree/node.ts';
import { parseTree, TreeReader } from '../../repository/tree/parse.ts';
import type { FieldSet } from '../../repository/tree/read-node.ts';
import { layoutPath } from '../../storage/names.ts';
import { describeFile, type Range, type StoredFile } from '../../storage/storage.ts';
import { isDamage } from '../trees/damage-codes.ts';
import { WorkerProgress } from './progress.ts';
import type { Reply, WorkerMessage, WorkerStart } from './protocol.ts';

/** Files up to this length are read into memory that is kept; bytes. */
const longestWhole = 64 << 20;
/** Pack files kept open for reading. */
const openFiles = 8;

export class WorkerContext {
  readonly start: WorkerStart;
  readonly kernel: Kernel;
  readonly sealer: Sealer;
  readonly index: BlobIndex;
  readonly control: RunControl;
  readonly progress: WorkerProgress;
  readonly data: Packer;
  readonly tree: Packer;
  /** The second repository of the run: it is only read from. */
  source: WorkerContext | undefined;
  /** What a verb keeps in this worker between its jobs. */
  readonly state = new Map<string, unknown>();
  /** What the result of the current job hands over instead of copying. */
  transfer: Transferable[] = [];
  readonly #send: (message: WorkerMessage, transfer: Transferable[]) => void;
  readonly #replies: MessagePort;
  readonly #replyCount: Int32Array;
  readonly #idle: Int32Array;
  readonly #files = new Map<string, number>();
  #whole = Buffer.alloc(0);
  readonly #location = emptyLocation();
  /** Made when the first blob turns out to be damaged. */
  #copies: ReadonlyMap<number, readonly number[]> | undefined;

  constructor(start: WorkerStart, kernel: Kernel, replies: MessagePort, send: (message: WorkerMessage, transfer: Transferable[]) => void) {
    this.start = start;
    this.#send = send;
    this.#replies = replies;
    this.#replyCount = new Int32Array(start.replies);
    this.#idle = new Int32Array(start.idle);
    this.kernel = kernel;
    this.sealer = new Sealer(start.key, this.kernel, (8 << 20) + (64 << 10));
    this.index = BlobIndex.attach(start.index);
    this.control = RunControl.attach(start.control, start.closed);
    this.progress = new WorkerProgress(start.progress);
    const encoder = new BlobEncoder(this.sealer, start.corruptBlob === undefined ? undefined : { corruptBlob: start.corruptBlob });
    const store = (pack: FinishedPack): void => this.#storePack(pack);
    const take = (bytes: number): ArrayBuffer => this.#takeBuffer(bytes);
    this.data = new Packer('data', start.packSize, encoder, this.sealer, take, store);
    this.tree = new Packer('tree', start.packSize, encoder, this.sealer, take, store);
  }

  /** True while another worker waits for work, so that a long job should give some of its own away. */
  get othersIdle(): boolean {
    return Atomics.load(this.#idle, 0) > 0;
  }

  /** Tells the coordinator something in the middle of a job. */
  note(note: unknown, transfer: Transferable[] = []): void {
    this.#send({ kind: 'note', note }, transfer);
  }

  /**
   * Stores a blob unless it is known. Returns the sealed length in bytes when this call stored it, else 0. `id` must not
   * be changed by the caller before the call returns.
   */
  store(type: BlobType, id: Uint8Array, plain: Uint8Array): number {
    if (!this.index.claim(id, 0, type)) return 0;
    const length = (type === 'tree' ? this.tree : this.data).add(id, plain);
    this.progress.add('stored', plain.length);
    this.progress.add('packed', length);
    return length;
  }

  /** As {@link store}, for a blob that is compressed already: `frame` holds `plainLength` bytes. */
  storeFrame(type: BlobType, id: Uint8Array, frame: Uint8Array, plainLength: number): number {
    if (!this.index.claim(id, 0, type)) return 0;
    const length = (type === 'tree' ? this.tree : this.data).addFrame(id, frame, plainLength);
    this.progress.add('stored', plainLength);
    this.progress.add('packed', length);
    return length;
  }

  /**
   * The plaintext of a blob; a view that is valid until the next blob is read or stored. Throws `blob-missing` when the
   * index does not know it, `item-tampered` when what is stored is not that blob.
   */
  loadBlob(type: BlobType, id: Uint8Array): Uint8Array {
    const location = this.#location;
    if (!this.index.locate(id, 0, type, location))
      return this.#rescue(type, id) ?? fail('blob-missing', { blob: Buffer.from(id).toString('hex'), type });
    try {
      return this.#loadFrom(location, type, id);
    } catch (error) {
      if (!isDamage(error)) throw error;
      const copy = this.loadCopy(type, id);
      if (copy) return copy;
      throw error;
    }
  }

  /**
   * The plaintext of a blob as {@link loadBlob} gives it, from another place than lookups give, or from elsewhere where the run knows of
   * another repository; undefined when no other is whole.
   */
  loadCopy(type: BlobType, id: Uint8Array): Uint8Array | undefined {
    this.#copies ??= this.index.copies();
    const location = emptyLocation();
    for (const record of this.#copies.get(this.index.entryOf(id, 0, type)) ?? []) {
      if (!this.index.at(record, location)) continue;
      try {
        return this.#loadFrom(location, type, id);
      } catch (error) {
        if (!isDamage(error)) throw error;
      }
    }
    return this.#rescue(type, id);
  }

  #rescue(type: BlobType, id: Uint8Array): Uint8Array | undefined {
    if (!this.start.canRescue) return undefined;
    this.#send({ kind: 'rescue', type, id: new Uint8Array(id) }, []);
    const plain = this.#bytes();
    return plain.length > 0 && sha256(plain).equals(id) ? plain : undefined;
  }

  #loadFrom({ pack, offset, length, uncompressedLength }: BlobLocation, type: BlobType, id: Uint8Array): Uint8Array {
    const file: StoredFile = { kind: 'pack', name: this.index.packId(pack).toString('hex'), holds: type === 'tree' ? 'trees' : undefined };
    const sealed = this.read(file, { offset, length });
    return decodeBlob(this.sealer, sealed, id, uncompressedLength, type);
  }

  /** The nodes of a tree. Throws as `loadBlob` does, and `tree-invalid`. */
  loadTree(id: Uint8Array): Node[] {
    // The nodes are views of the text.
    return parseTree(Buffer.from(this.loadBlob('tree', id)), Buffer.from(id).toString('hex'));
  }

  /** The nodes of a tree one by one; for `fields` see TreeReader. Throws as `loadBlob` does. */
  openTree(id: Uint8Array, fields?: FieldSet): TreeReader {
    return new TreeReader(Buffer.from(this.loadBlob('tree', id)), Buffer.from(id).toString('hex'), fields);
  }

  /** Reads from the repository's storage and waits for it. Fails as `Storage.load` does. */
  read(file: StoredFile, range?: Range): Uint8Array {
    if (this.start.localFolder !== undefined && range) return this.#readLocally(file, range);
    return this.#ask(file, range);
  }

  /** As {@link read}, for a whole file; a view that is valid until the next call. */
  readWhole(file: StoredFile): Uint8Array {
    const folder = this.start.localFolder;
    if (folder === undefined) return this.#ask(file, undefined);
    let fd: number | undefined;
    try {
      fd = openSync(join(folder, layoutPath(file)), 'r');
      const { size } = fstatSync(fd);
      // What is larger than any honest file is the storage's to refuse.
      if (size > longestWhole) return this.#ask(file, undefined);
      if (this.#whole.length < size) this.#whole = Buffer.allocUnsafeSlow(Math.ceil(size * 1.25));
      let got = 0;
      for (let n = -1; got < size && n !== 0; got += n) n = readSync(fd, this.#whole, got, size - got, got);
      if (got === size) return this.#whole.subarray(0, size);
    } catch {
      // The storage knows what that means.
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
    return this.#ask(file, undefined);
  }

  /** Whether the destination still answers: tells a file that cannot be read from a destination that is gone. */
  answers(): boolean {
    try {
      this.#ask({ kind: 'config', name: '' }, undefined);
      return true;
    } catch (error) {
      if (hasCode(error, 'cancelled')) throw error;
      return false;
    }
  }

  #ask(file: StoredFile, range: Range | undefined): Uint8Array {
    this.#send({ kind: 'read', file, range }, []);
    return this.#bytes();
  }

  /** Waits for the bytes that were asked for. */
  #bytes(): Uint8Array {
    for (;;) {
      const reply = this.#receive();
      if (reply.kind === 'bytes') return reply.bytes;
      if (reply.kind === 'read-failed') throw errorFromJSON(reply.error);
    }
  }

  /** The packs that are not full, given up to the coordinator, which joins those of all workers. */
  takeUnfinished(): UnfinishedPack[] {
    const packs: UnfinishedPack[] = [];
    for (const packer of [this.data, this.tree]) {
      const pack = packer.takeUnfinished();
      if (!pack) continue;
      this.transfer.push(pack.body.buffer);
      packs.push(pack);
    }
    return packs;
  }

  /** Closes what is kept open between jobs: the last that is done with a context. */
  closeFiles(): void {
    for (const fd of this.#files.values()) closeSync(fd);
    this.#files.clear();
  }

  #readLocally(file: StoredFile, range: Range): Uint8Array {
    const location = this.start.localFolder!;
    try {
      const out = Buffer.allocUnsafe(range.length);
      const fd = this.#open(file);
      let got = 0;
      while (got < range.length) {
        const n = readSync(fd, out, got, range.length - got, range.offset + got);
        if (n === 0) return fail('file-short', { file: describeFile(file), location, expected: range.length, received: got });
        got += n;
      }
      return out;
    } catch (error) {
      if (error instanceof HoldfastError) throw error;
      // The storage knows what that means: whether only this file is missing, or the whole destination.
      return this.#ask(file, range);
    }
  }

  #open(file: StoredFile): number {
    const known = this.#files.get(file.name);
    if (known !== undefined) return known;
    if (this.#files.size >= openFiles) {
      const [oldest, fd] = this.#files.entries().next().value!;
      closeSync(fd);
      this.#files.delete(oldest);
    }
    const fd = openSync(join(this.start.localFolder!, layoutPath(file)), 'r');
    this.#files.set(file.name, fd);
    return fd;
  }

  /** Waits when too many packs are on their way to the storage. */
  #takeBuffer(bytes: number): ArrayBuffer {
    this.#send({ kind: 'need-buffer', bytes }, []);
    for (;;) {
      const reply = this.#receive();
      if (reply.kind === 'buffer') return reply.buffer;
    }
  }

  #storePack(pack: FinishedPack): void {
    const header = new Uint8Array(pack.header);
    this.#send({ kind: 'pack', id: new Uint8Array(pack.id), bytes: pack.bytes, header }, [pack.bytes.buffer, header.buffer]);
  }

  /** Waits for the next reply; ends with `cancelled` when the run is. */
  #receive(): Reply {
    for (;;) {
      const seen = Atomics.load(this.#replyCount, 0);
      const received = receiveMessageOnPort(this.#replies) as { message: Reply } | undefined;
      if (received) return received.message;
      this.control.checkpoint();
      Atomics.wait(this.#replyCount, 0, seen);
    }
  }
}
