/**
 * A storage in memory that records what is done to it, so that a test can return to the state after any number of writes.
 *
 * Words: a *mutation* is a save, a replacement or a remove that took effect; *replay* is the state after the first so many mutations.
 */

import { fail } from '../contract/errors.ts';
import { checkRange, fileAt, layoutPath } from './names.ts';
import { configFile, describeFile, type FileKind, type ListedFile, type Range, type Storage, type StoredFile } from './storage.ts';

export type MemoryOperation =
  | { readonly kind: 'save'; readonly file: StoredFile; readonly content: Uint8Array }
  | { readonly kind: 'replace'; readonly file: StoredFile; readonly content: Uint8Array }
  | { readonly kind: 'remove'; readonly file: StoredFile }
  | { readonly kind: 'load'; readonly file: StoredFile; readonly range?: Range }
  | { readonly kind: 'size'; readonly file: StoredFile }
  | { readonly kind: 'list'; readonly files: FileKind };

/** Content by path in the layout; the arrays are never written to, so that states can share them. */
type State = Map<string, Uint8Array>;

const isMutation = ({ kind }: MemoryOperation): boolean => kind === 'save' || kind === 'replace' || kind === 'remove';

export class MemoryStorage implements Storage {
  readonly location: string;
  /** In order: reads as they were asked for, mutations as they took effect (a refused save is not recorded). */
  readonly operations: MemoryOperation[] = [];
  readonly #start: State;
  readonly #files: State;
  #closed = false;

  constructor(location = 'memory', start: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.location = location;
    this.#start = new Map(start);
    this.#files = new Map(start);
  }

  /** How many mutations took effect; {@link replay} takes 0 up to this number. */
  get mutations(): number {
    let count = 0;
    for (const operation of this.operations) if (isMutation(operation)) count++;
    return count;
  }

  /** A new storage as this one was after its first `mutations` mutations. What {@link tamper} did is not part of it. */
  replay(mutations: number): MemoryStorage {
    const files = new Map(this.#start);
    let left = mutations;
    for (const operation of this.operations) {
      if (left === 0) break;
      if (operation.kind === 'save' || operation.kind === 'replace') files.set(layoutPath(operation.file), operation.content);
      else if (operation.kind === 'remove') files.delete(layoutPath(operation.file));
      else continue;
      left--;
    }
    if (left !== 0) throw new RangeError(`only ${mutations - left} of ${mutations} mutations were recorded`);
    return new MemoryStorage(`${this.location} after ${mutations} mutations`, files);
  }

  /** A new, independent storage with the same files and an empty record. */
  clone(): MemoryStorage {
    return new MemoryStorage(this.location, this.#files);
  }

  /** Every file's bytes by its path in the repository's layout, to write out for another program or to compare. */
  dump(): Map<string, Uint8Array> {
    return new Map(Array.from(this.#files, ([path, content]) => [path, new Uint8Array(content)]));
  }

  /** Every stored file, in the order of its first save. */
  files(): StoredFile[] {
    return Array.from(this.#files.keys(), (path) => fileAt(path)).filter((file) => file !== undefined);
  }

  /** Changes a file behind everybody's back: `change` gets a copy of its bytes (none if it is missing) and returns the new ones, or undefined to lose the file. */
  tamper(file: StoredFile, change: (bytes: Uint8Array) => Uint8Array | undefined): void {
    const path = layoutPath(file);
    const content = change(new Uint8Array(this.#files.get(path) ?? []));
    if (content === undefined) this.#files.delete(path);
    else this.#files.set(path, new Uint8Array(content));
  }

  async create(): Promise<void> {
    this.#checkOpen();
  }

  async save(file: StoredFile, parts: readonly Uint8Array[]): Promise<void> {
    this.#checkOpen();
    const path = layoutPath(file);
    if (this.#files.has(path)) fail('file-exists', { file: describeFile(file), location: this.location });
    const content = joined(parts);
    this.#files.set(path, content);
    this.operations.push({ kind: 'save', file, content });
  }

  async replaceConfig(parts: readonly Uint8Array[]): Promise<void> {
    this.#checkOpen();
    this.#content(configFile);
    const content = joined(parts);
    this.#files.set(layoutPath(configFile), content);
    this.operations.push({ kind: 'replace', file: configFile, content });
  }

  async load(file: StoredFile, range?: Range): Promise<Uint8Array> {
    this.#checkOpen();
    if (range !== undefined) checkRange(range);
    const content = this.#content(file);
    this.operations.push(range === undefined ? { kind: 'load', file } : { kind: 'load', file, range });
    if (range === undefined) return new Uint8Array(content);
    const bytes = new Uint8Array(content.subarray(range.offset, range.offset + range.length));
    if (bytes.byteLength < range.length)
      fail('file-short', { file: describeFile(file), location: this.location, expected: range.length, received: bytes.byteLength });
    return bytes;
  }

  async size(file: StoredFile): Promise<number> {
    this.#checkOpen();
    const { byteLength } = this.#content(file);
    this.operations.push({ kind: 'size', file });
    return byteLength;
  }

  async *list(kind: FileKind): AsyncGenerator<ListedFile> {
    this.#checkOpen();
    this.operations.push({ kind: 'list', files: kind });
    const listed: ListedFile[] = [];
    for (const [path, content] of this.#files) {
      const file = fileAt(path);
      if (file?.kind === kind) listed.push({ name: file.name, size: content.byteLength });
    }
    yield* listed;
  }

  async remove(file: StoredFile): Promise<void> {
    this.#checkOpen();
    if (!this.#files.delete(layoutPath(file))) fail('file-not-found', { file: describeFile(file), location: this.location });
    this.operations.push({ kind: 'remove', file });
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #content(file: StoredFile): Uint8Array {
    return this.#files.get(layoutPath(file)) ?? fail('file-not-found', { file: describeFile(file), location: this.location });
  }

  #checkOpen(): void {
    if (this.#closed) fail('internal', { cause: `${this.location} was used after it had been closed` });
  }
}

/** The parts one after the other, in memory of their own. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const content = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    content.set(part, offset);
    offset += part.byteLength;
  }
  return content;
}
