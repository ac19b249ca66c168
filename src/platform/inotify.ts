/**
 * Linux's inotify(7): which entries of watched folders come, go and change.
 *
 * Node's `fs.watch` stands on the same, but takes 2 kB for each folder, and hides that the kernel's queue was full and events are lost.
 * Here a watch is a number, and the loss is told.
 */
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { CString, openCLibrary, type CFunction, type CLibrary, type CMemory } from './c-library.ts';
import { PosixError } from './posix-error.ts';

/** From linux/inotify.h. */
const flags = {
  modify: 0x2,
  attrib: 0x4,
  closeWrite: 0x8,
  movedFrom: 0x40,
  movedTo: 0x80,
  create: 0x100,
  delete: 0x200,
  deleteSelf: 0x400,
  moveSelf: 0x800,
  unmount: 0x2000,
  overflow: 0x4000,
  ignored: 0x8000,
  onlyDirectory: 0x0100_0000,
  dontFollow: 0x0200_0000,
  exclUnlink: 0x0400_0000,
};
const comesOrGoes = flags.movedFrom | flags.movedTo | flags.create | flags.delete;
const isGone = flags.deleteSelf | flags.moveSelf | flags.unmount;
// What is written through a mapping tells nothing until the last mapping and descriptor are gone; then the file is closed.
const wanted = flags.modify | flags.attrib | flags.closeWrite | comesOrGoes | flags.deleteSelf | flags.moveSelf;
const newFlags = 0x800 | 0x8_0000; // IN_NONBLOCK, IN_CLOEXEC

const headerSize = 16;
const bufferSize = 65_536;

export interface InotifyReader {
  /** The entry `name` of the folder `watch` came or went (`renamed`), or changed. An empty name: the folder itself changed. */
  entry(watch: number, renamed: boolean, name: Buffer): void;
  /** The folder `watch` itself was deleted, moved or unmounted. */
  gone(watch: number): void;
  /** The watch has ended: by {@link Inotify.remove}, or with its folder. */
  ended(watch: number): void;
  /** The queue was full: events are lost, of any watch. */
  lost(): void;
}

export class Inotify {
  readonly #fd: number;
  readonly #library: CLibrary;
  readonly #add: CFunction;
  readonly #remove: CFunction;
  readonly #read: CFunction;
  readonly #path: CString;
  readonly #memory: CMemory;
  #isClosed = false;

  /** @throws PosixError EMFILE when the person has as many as the system allows */
  constructor() {
    const library = (this.#library = openCLibrary());
    this.#add = library.func('inotify_add_watch', 'int', ['int', 'uintptr_t', 'uint']);
    this.#remove = library.func('inotify_rm_watch', 'int', ['int', 'int']);
    this.#read = library.func('read', 'intptr_t', ['int', 'uintptr_t', 'size_t']);
    this.#path = new CString(library, 4096);
    this.#memory = library.memory(bufferSize);
    this.#fd = library.func('inotify_init1', 'int', ['int'])(newFlags);
    if (this.#fd < 0) throw new PosixError(library.errno(), 'inotify_init1');
  }

  /**
   * Watches the folder `path`. The same folder by another path has the same number.
   * @throws PosixError ENOSPC when the person watches as many as the system allows; ENOENT, ENOTDIR, EACCES
   */
  add(path: Buffer): number {
    const watch = this.#add(
      this.#fd,
      this.#path.put(path, 'inotify_add_watch', path),
      wanted | flags.onlyDirectory | flags.dontFollow | flags.exclUnlink,
    );
    if (watch < 0) throw new PosixError(this.#library.errno(), 'inotify_add_watch', path);
    return watch;
  }

  /** Ends a watch; nothing happens when it has ended. Events that are queued may still come. */
  remove(watch: number): void {
    if (!this.#isClosed) this.#remove(this.#fd, watch);
  }

  /** Hands over all events that are queued, and returns how many those were. Names are valid during the call only. */
  read(reader: InotifyReader): number {
    let events = 0;
    const { bytes, address } = this.#memory;
    // A reader may close this; the number of the file would then soon be another one's.
    while (!this.#isClosed) {
      const length = this.#read(this.#fd, address, bufferSize);
      if (length < 0) {
        const errno = this.#library.errno();
        if (errno === constants.errno.EAGAIN || errno === constants.errno.EINTR) return events;
        throw new PosixError(errno, 'read');
      }
      for (let at = 0; at < length; ) {
        const watch = bytes.readInt32LE(at);
        const mask = bytes.readUInt32LE(at + 4);
        const size = bytes.readUInt32LE(at + 12);
        const begin = at + headerSize;
        at = begin + size;
        events += 1;
        if ((mask & flags.overflow) !== 0) reader.lost();
        else if ((mask & flags.ignored) !== 0) reader.ended(watch);
        else if ((mask & isGone) !== 0) reader.gone(watch);
        else {
          const end = size === 0 ? begin : bytes.indexOf(0, begin);
          reader.entry(watch, (mask & comesOrGoes) !== 0, bytes.subarray(begin, Math.min(end, at)));
        }
      }
      if (length < bufferSize / 2) return events;
    }
    return events;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#fd);
  }
}
