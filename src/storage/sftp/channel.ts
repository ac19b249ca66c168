/** One SFTP session within a connection: a program of its own on the server, which does one thing after the other. */
import type { SFTPWrapper, Stats } from 'ssh2';
import { isUnsupported, type SpaceLeft } from './status.ts';

/** What ssh2 calls back with. */
type Done<T> = (error: Error | null | undefined, value: T) => void;

/** Makes a request and gives its answer; throws StatusError, or the HoldfastError that tells why the connection is no more. */
export type Call = <T>(start: (done: Done<T>) => void) => Promise<T>;

export interface FileFacts {
  /** In bytes. */
  readonly size: number;
  /** Since 1970, by the server's clock; whole seconds. */
  readonly modifiedMs: number;
  readonly isFile: boolean;
  readonly isFolder: boolean;
}

export interface FolderEntry extends FileFacts {
  readonly name: string;
  readonly isLink: boolean;
}

/** An open file or folder on the server. */
export type Handle = Buffer;

const readOnlyFlag = 1;

export class SftpChannel {
  /** How many operations use it at this moment. */
  users = 0;
  readonly #sftp: SFTPWrapper;
  readonly #call: Call;

  constructor(sftp: SFTPWrapper, call: Call) {
    this.#sftp = sftp;
    this.#call = call;
  }

  openToRead(path: string): Promise<Handle> {
    return this.#call<Handle>((done) => this.#sftp.open(path, 'r', done));
  }

  /** Fails when there is such a file. */
  openNew(path: string, mode: number): Promise<Handle> {
    return this.#call<Handle>((done) => this.#sftp.open(path, 'wx', { mode }, done));
  }

  close(handle: Handle): Promise<void> {
    return this.#call<void>((done) => this.#sftp.close(handle, (error) => done(error)));
  }

  /** How many bytes came, which may be fewer than asked for; 0 at the end of the file. */
  read(handle: Handle, into: Buffer, position: number): Promise<number> {
    return this.#call<number>((done) => this.#sftp.read(handle, into, 0, into.length, position, (error, bytes) => done(error, bytes)));
  }

  write(handle: Handle, bytes: Buffer, position: number): Promise<void> {
    return this.#call<void>((done) => this.#sftp.write(handle, bytes, 0, bytes.length, position, (error) => done(error)));
  }

  /** Whether the server could be asked to write the file, or folder, to its disk. */
  sync(handle: Handle): Promise<boolean> {
    return this.#extension((done) => this.#sftp.ext_openssh_fsync(handle, (error) => done(error)));
  }

  async facts(handle: Handle): Promise<FileFacts> {
    return factsOf(await this.#call<Stats>((done) => this.#sftp.fstat(handle, done)));
  }

  /** Follows links. */
  async factsAt(path: string): Promise<FileFacts> {
    return factsOf(await this.#call<Stats>((done) => this.#sftp.stat(path, done)));
  }

  /** All entries of a folder, but itself and its parent. */
  async entries(path: string): Promise<FolderEntry[]> {
    type Entry = { readonly filename: string; readonly attrs: Stats };
    const found = await this.#call<Entry[]>((done) => this.#sftp.readdir(path, (error, list) => done(error, list as unknown as Entry[])));
    return found.map(({ filename, attrs }) => ({ name: filename, ...factsOf(attrs), isLink: attrs.isSymbolicLink() }));
  }

  makeFolder(path: string, mode: number): Promise<void> {
    return this.#call<void>((done) => this.#sftp.mkdir(path, { mode }, (error) => done(error)));
  }

  remove(path: string): Promise<void> {
    return this.#call<void>((done) => this.#sftp.unlink(path, (error) => done(error)));
  }

  /** Fails, on most servers, when there is such a file. */
  rename(from: string, to: string): Promise<void> {
    return this.#call<void>((done) => this.#sftp.rename(from, to, (error) => done(error)));
  }

  /** Gives a file a second name; fails when there is such a file. False when the server does not know how. */
  link(from: string, to: string): Promise<boolean> {
    return this.#extension((done) => this.#sftp.ext_openssh_hardlink(from, to, (error) => done(error)));
  }

  /** Replaces what is there in one step. False when the server does not know how. */
  renameOver(from: string, to: string): Promise<boolean> {
    return this.#extension((done) => this.#sftp.ext_openssh_rename(from, to, (error) => done(error)));
  }

  /** Undefined when the server does not tell. */
  async spaceAt(path: string): Promise<SpaceLeft | undefined> {
    let told: unknown;
    const isTold = await this.#extension((done) => {
      this.#sftp.ext_openssh_statvfs(path, (error, facts: unknown) => {
        told = facts;
        done(error);
      });
    });
    if (!isTold || typeof told !== 'object' || told === null) return undefined;
    const { f_bavail: blocks, f_frsize: blockSize, f_flag: flags } = told as Record<string, unknown>;
    if (typeof blocks !== 'number' || typeof blockSize !== 'number') return undefined;
    return { free: blocks * blockSize, isReadOnly: typeof flags === 'number' && flags % 2 === readOnlyFlag };
  }

  /** Asks something that costs nothing. */
  async ping(): Promise<void> {
    await this.#call<string>((done) => this.#sftp.realpath('.', (error, path) => done(error ?? undefined, path)));
  }

  async #extension(start: (done: (error: Error | null | undefined) => void) => void): Promise<boolean> {
    try {
      await this.#call<void>((done) => start((error) => done(error)));
      return true;
    } catch (error) {
      if (isUnsupported(error)) return false;
      throw error;
    }
  }
}

/** A server may leave anything out. */
function factsOf(stats: Stats): FileFacts {
  const { size, mtime } = stats as Partial<Stats>;
  return {
    size: typeof size === 'number' ? size : Number.NaN,
    modifiedMs: typeof mtime === 'number' ? mtime * 1000 : Number.NaN,
    isFile: stats.isFile(),
    isFolder: stats.isDirectory(),
  };
}
