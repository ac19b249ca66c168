/**
 * A storage keeps the files of one repository: named, written once, never changed (but config, when its version is raised).
 *
 * Words: a *kind* is one of the six sorts of repository file; a *file* is a kind and a name; a *location* is the place
 * as a person would recognise it, without secrets.
 */

export const fileKinds = ['config', 'key', 'snapshot', 'index', 'lock', 'pack'] as const;
export type FileKind = (typeof fileKinds)[number];

/** `name` is 64 lower-case hex digits; for `config` it is the empty string. */
export interface StoredFile {
  readonly kind: FileKind;
  readonly name: string;
  /** A hint, for packs alone: every run reads those that hold folder listings. */
  readonly holds?: 'trees' | undefined;
}

export interface ListedFile {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
}

/** The one file that is ever replaced. */
export const configFile: StoredFile = { kind: 'config', name: '' };

/** A part of a file, in bytes. */
export interface Range {
  readonly offset: number;
  readonly length: number;
}

/**
 * What every storage promises:
 * - **save** stores the parts, one after the other, as one file and resolves only when the file is durable under its
 *   name (for a local folder: data and directory entry are fsynced). Until then no reader sees anything under that
 *   name; a failed save leaves nothing under it, and never harms a file that was there before. Saving over an existing
 *   file fails with `file-exists`. (A server may fall short of this, as its kind's own words say: it may show a file while it
 *   grows, keep a part of one when the connection broke and the storage cannot take it away any more, or let two programs that
 *   save the same name in the same moment both succeed. All names but that of config are hashes of the content, so that
 *   nobody takes a part for the whole, and the two have stored the same; config is read back.)
 * - **load** gives exactly the bytes asked for: a file that is shorter fails with `file-short`, one that is missing with
 *   `file-not-found`. The caller owns the returned bytes. A range of length 0 gives no bytes. A whole file
 *   that is absurdly large for its kind may fail with `item-tampered` instead of filling the memory.
 * - **size** fails with `file-not-found` when the file is missing.
 * - **list** gives every complete file of a kind once, in no order; it ignores foreign names and temporary files. A
 *   storage without that kind's folder lists nothing.
 * - **remove** of a missing file fails with `file-not-found`; a removed file stays removed after a power cut.
 * - Calls may run side by side. No call retries by itself: that is a wrapper's work; `retryable` on the error says
 *   whether it makes sense. Every error is a HoldfastError.
 * - **close** releases what the storage holds; calls after it fail.
 */
export interface Storage {
  readonly location: string;
  /** How far the clock of the place is ahead of this computer's, in milliseconds, by its last answer; absent where it tells no time. */
  readonly clockSkewMs?: number | undefined;
  /** Makes the place ready to hold a repository (folders, bucket…). Harmless when it is ready already. */
  create(): Promise<void>;
  save(file: StoredFile, parts: readonly Uint8Array[]): Promise<void>;
  load(file: StoredFile, range?: Range): Promise<Uint8Array>;
  size(file: StoredFile): Promise<number>;
  list(kind: FileKind): AsyncIterable<ListedFile>;
  remove(file: StoredFile): Promise<void>;
  close(): Promise<void>;
  /**
   * Gives config other content in one step and resolves when that is durable: whoever reads meanwhile, and whoever reads after a
   * power cut or a failure of this call, finds the old content or the new one, whole. A config that is missing fails with
   * `file-not-found` and stays missing. Of two calls at the same time, either may win.
   *
   * Absent where a storage cannot do that (a server that refuses to save over a file, a file system without a replacing rename), and
   * refused with `storage-cannot-replace`, changing nothing, where that shows only then: there its caller keeps a copy elsewhere,
   * removes config and saves it anew.
   */
  replaceConfig?(parts: readonly Uint8Array[]): Promise<void>;
  /** Where the file's bytes can be read synchronously from the local file system, if they can. Wrappers that must see every read leave it out. */
  localPath?(file: StoredFile): string;
  /**
   * Removes unfinished files that killed saves have left, if they were last written before `before` (ms since 1970), and
   * resolves to their number. Absent where a killed save leaves nothing. A save at work writes its file within seconds, so
   * a day ago is safe beside other programs; holding the exclusive lock, now is.
   */
  removeLeftovers?(before: number): Promise<number>;
  /** Whether the place lets nobody remove anything but locks (append-only). Absent where that cannot be. Changes nothing. */
  refusesRemoval?(): Promise<boolean>;
}

/** How a file is called in messages, for example `pack 0a1b…`. */
export const describeFile = (file: StoredFile): string => (file.kind === 'config' ? 'config' : `${file.kind} ${file.name.slice(0, 12)}`);
