/**
 * An open repository: its storage, its master key, and the small encrypted files in it.
 *
 * Words: a *repository* is an encrypted store of packs; the *index* says which blobs lie in which pack; a *snapshot* names
 * a tree of blobs. See restic's design document.
 */
import { fail, HoldfastError, hasCode, isDestinationError } from '../contract/errors.ts';
import type { Clock } from '../platform/clock.ts';
import { configFile, describeFile, type Storage, type StoredFile } from '../storage/storage.ts';
import { type Config, currentVersion, type FormatVersion, newConfig, parseConfig, withVersion } from './config.ts';
import { type MasterKey, randomMasterKey, Sealer } from './crypto.ts';
import { isId, sha256 } from './ids.ts';
import { openIndex, openItem, sealItem } from './item.ts';
import { type ReadAhead, SnapshotReadAhead } from './read-ahead.ts';
import { Kernel } from './kernel/kernel.ts';
import { calibrate, type KeyCost, type KeyFile, type KeyOwner, lockKey, parseKeyFile, refuseEmpty, unlockKey } from './keys.ts';
import { defaultPackSize } from './pack.ts';
import { formatSnapshot, parseSnapshot, type Snapshot, type SnapshotFields } from './snapshot.ts';

/** Small files read at the same time. */
const parallelLoads = 16;
/** Room for the small files that are read most; larger ones grow it. */
const itemBytes = 1 << 20;

export interface ListedKey {
  readonly id: string;
  readonly file: KeyFile;
  /** The key that opened the repository. */
  readonly current: boolean;
}

/** A key file, in its stored form. */
export interface KeptKey {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Where the key file that opened a repository is kept near, so that the derivation begins before the repository has answered. It
 * opens nothing that the repository would not: it counts only when the repository still lists it. Neither call fails.
 */
export interface KeyMemory {
  /** The key kept last, whose name is the hash of its bytes. */
  recallKey(): Promise<KeptKey | undefined>;
  keepKey(key: KeptKey): Promise<void>;
}

/** The master key, and the ID of the key file that held it. */
export interface OpenedKey {
  readonly key: MasterKey;
  readonly keyId: string;
}

export interface OpenOptions {
  /** Snapshots are read while the key is derived. */
  readonly readAhead?: ReadAhead | undefined;
  readonly keyMemory?: KeyMemory | undefined;
  /**
   * What this password opened before, so that nothing is derived anew. It counts only while the repository still lists that key; whoever
   * keeps it answers for its being of this password.
   */
  readonly opened?: OpenedKey | undefined;
  /** Format versions to be opened; default: the current one. */
  readonly versions?: readonly FormatVersion[] | undefined;
  /**
   * Stored forms of configs: where the storage holds none, or one that is damaged, the first of them that was sealed with the
   * repository's key stands in for it.
   */
  readonly keptConfigs?: readonly Uint8Array[] | undefined;
}

export class Repository {
  readonly storage: Storage;
  readonly config: Config;
  readonly key: MasterKey;
  readonly sealer: Sealer;
  readonly #kernel: Kernel;
  readonly #configText: Buffer;
  #keyId: string;
  /** Size that packs are filled to, in bytes. */
  packSize = defaultPackSize;

  readonly #readAhead: SnapshotReadAhead | undefined;

  private constructor(storage: Storage, opened: OpenedConfig, { key, keyId }: OpenedKey, kernel: Kernel, readAhead?: SnapshotReadAhead) {
    this.#readAhead = readAhead;
    this.storage = storage;
    this.config = opened.config;
    this.#configText = opened.text;
    this.key = key;
    this.#keyId = keyId;
    this.#kernel = kernel;
    this.sealer = new Sealer(key, kernel, itemBytes);
  }

  /** ID of the key file that opens the repository with the password in use. */
  get keyId(): string {
    return this.#keyId;
  }

  /**
   * Makes a repository. `polynomial` (hex) makes it cut files where another repository does, so that both share blobs. A
   * try that ended between its two files is completed, with the same password.
   * Throws `repository-exists` when the place holds a repository, a part of one, or a key of another password,
   * `password-empty`, `bad-polynomial` or what the storage throws.
   */
  static async init(
    storage: Storage,
    password: string,
    owner: KeyOwner,
    clock: Clock,
    options: { polynomial?: string | undefined; cost?: KeyCost | undefined } = {},
  ): Promise<Repository> {
    refuseEmpty(password);
    await storage.create();
    if (await holdsRepository(storage)) return fail('repository-exists', { location: storage.location });
    const config = newConfig(options.polynomial);
    const kernel = Kernel.create();
    const found =
      (await findFirstKey(storage, password, kernel)) ??
      (await storeFirstKey(storage, password, owner, options.cost ?? (await calibrate(clock)), kernel, clock));
    const text = Buffer.from(JSON.stringify(config));
    const repository = new Repository(storage, { config, text }, found, kernel);
    const sealed = sealItem(repository.sealer, text, { compressed: false });
    // When this fails the key stays: the config may be there all the same, and if not, the next try goes on from here.
    await storage.save(configFile, [sealed]);
    return repository;
  }

  /** Throws `repository-not-found`, `wrong-password`, `repository-version`, `config-invalid` or what the storage throws. */
  static async open(
    storage: Storage,
    password: string,
    { readAhead, keyMemory, opened, versions, keptConfigs = [] }: OpenOptions = {},
  ): Promise<Repository> {
    const missing = (error?: unknown): never => fail('repository-not-found', { location: storage.location }, error);
    // Together they take the time of one request. All are waited for, so that nothing is tried again after this has thrown.
    const asked = Promise.allSettled([storage.load(configFile), listKeys(storage)]);
    const kernel = Kernel.create();
    const kept = opened ? undefined : await keyMemory?.recallKey();
    const tried = kept && tryKept(kept, password, kernel);
    const [config, keys] = await asked;
    if (config.status === 'rejected') {
      const { reason } = config;
      if (hasCode(reason, 'storage-gone')) return missing(reason);
      if (!hasCode(reason, 'file-not-found')) throw reason;
      if (keptConfigs.length === 0) return missing(reason);
    }
    if (keys.status === 'rejected') throw keys.reason;
    const sealedConfig = config.status === 'fulfilled' ? config.value : undefined;
    // Not before: it goes over the connections that these two have made, and there are no others to make beside the derivation.
    const ahead = readAhead && new SnapshotReadAhead(storage, readAhead);
    try {
      const known = opened && keys.value.includes(opened.keyId) ? opened : undefined;
      const near = kept && keys.value.includes(kept.name) ? await tried : undefined;
      const untried = near === false ? keys.value.filter((name) => name !== kept?.name) : keys.value;
      const found = known ?? (near || undefined) ?? (await findKey(storage, untried, password, kernel, keyMemory));
      const sealer = new Sealer(found.key, kernel, sealedConfig?.length ?? 0);
      const text = firstOpened(sealer, [...(sealedConfig ? [sealedConfig] : []), ...keptConfigs]);
      if (!text) return sealedConfig ? fail('config-invalid', { cause: 'it cannot be decrypted' }) : missing();
      // What is on its way now is not waited for: whoever needs it asks anew.
      void ahead?.end();
      return new Repository(storage, { config: parseConfig(text, versions), text }, found, kernel, ahead);
    } catch (error) {
      await ahead?.end();
      throw error;
    }
  }

  /** The stored form of the config with another version; all else that it says stays. */
  sealedConfig(version: FormatVersion): Buffer {
    return sealItem(this.sealer, withVersion(this.#configText, version), { compressed: false });
  }

  /** Whether these bytes are a config of this repository: sealed with its key and sound. Undefined for others. */
  openConfig(sealed: Uint8Array): Config | undefined {
    try {
      return parseConfig(openItem(this.sealer, sealed), [1, currentVersion]);
    } catch (error) {
      if (hasCode(error, 'item-tampered') || hasCode(error, 'config-invalid')) return undefined;
      throw error;
    }
  }

  /** The same repository as a byte-for-byte copy of it in another place. That it is there is not looked at. */
  at(storage: Storage): Repository {
    const { config, key, keyId } = this;
    return new Repository(storage, { config, text: this.#configText }, { key, keyId }, this.#kernel);
  }

  /** Whether the storage still answers: tells a file that cannot be read from a destination that is gone. */
  async answers(): Promise<boolean> {
    return this.storage.load(configFile).then(
      () => true,
      () => false,
    );
  }

  /** The JSON text of an item. Throws `item-tampered` (naming the file) or what the storage throws. */
  async loadItem(kind: 'index' | 'snapshot' | 'lock', name: string): Promise<Buffer> {
    const file: StoredFile = { kind, name };
    const sealed = (kind === 'snapshot' ? this.#readAhead?.take(name) : undefined) ?? (await this.storage.load(file));
    try {
      return kind === 'index' ? Buffer.from(openIndex(this.sealer, sealed)) : openItem(this.sealer, sealed);
    } catch (error) {
      if (!hasCode(error, 'item-tampered')) throw error;
      throw new HoldfastError('item-tampered', { ...error.context, file: describeFile(file) }, { cause: error });
    }
  }

  /** Stores an item and returns its name; it is durable then. */
  async saveItem(kind: 'index' | 'snapshot' | 'lock', text: Uint8Array): Promise<string> {
    const sealed = sealItem(this.sealer, text, { compressed: true });
    const name = sha256(sealed).toString('hex');
    await this.storage.save({ kind, name }, [sealed]);
    return name;
  }

  /** Whether no lock was there while the key was derived; tells it only once, and only where it was looked at. */
  takeNoLocks(): boolean {
    return this.#readAhead?.takeNoLocks() ?? false;
  }

  async names(kind: 'index' | 'snapshot' | 'key' | 'pack'): Promise<string[]> {
    const ahead = kind === 'snapshot' ? this.#readAhead?.takeNames() : undefined;
    if (ahead) return ahead.sort();
    const names: string[] = [];
    for await (const { name } of this.storage.list(kind)) names.push(name);
    return names.sort();
  }

  /**
   * All snapshots, oldest first. One that cannot be read goes to `onProblem`; without it the problem is thrown.
   */
  async snapshots(onProblem?: (id: string, error: HoldfastError) => void): Promise<Snapshot[]> {
    const names = await this.names('snapshot');
    const found: Snapshot[] = [];
    let next = 0;
    const read = async (): Promise<void> => {
      while (next < names.length) {
        const id = names[next++];
        try {
          found.push(await this.snapshot(id));
        } catch (error) {
          // Another program may have forgotten it since the listing.
          if (hasCode(error, 'file-not-found')) continue;
          if (!onProblem || !(error instanceof HoldfastError)) throw error;
          onProblem(id, error);
        }
      }
    };
    await Promise.all(Array.from({ length: parallelLoads }, read));
    return found.sort((a, b) => Date.parse(a.time) - Date.parse(b.time) || (a.id < b.id ? -1 : 1));
  }

  async snapshot(id: string): Promise<Snapshot> {
    return parseSnapshot(id, await this.loadItem('snapshot', id));
  }

  saveSnapshot(fields: SnapshotFields): Promise<string> {
    return this.saveItem('snapshot', formatSnapshot(fields));
  }

  /**
   * The snapshot with this ID, this unique beginning of an ID, or for `latest` the newest that can be read; those that cannot, and
   * might be newer, go to `onProblem`.
   */
  async findSnapshot(wanted: string, onProblem: (id: string, error: HoldfastError) => void = () => {}): Promise<Snapshot> {
    if (wanted === 'latest') {
      let problem: HoldfastError | undefined;
      const readable = await this.snapshots((id, error) => {
        problem ??= error;
        onProblem(id, error);
      });
      // A damaged snapshot is passed over; of a destination that does not answer any more, nobody knows which is the newest.
      if (problem && (isDestinationError(problem) || problem.code === 'storage-failed') && !(await this.answers())) throw problem;
      const newest = readable.at(-1);
      if (newest) return newest;
      throw problem ?? new HoldfastError('snapshot-not-found', { snapshot: wanted });
    }
    const matches = isId(wanted)
      ? [wanted]
      : /^[0-9a-f]+$/.test(wanted)
        ? (await this.names('snapshot')).filter((name) => name.startsWith(wanted))
        : [];
    if (matches.length === 0) return fail('snapshot-not-found', { snapshot: wanted });
    if (matches.length > 1) return fail('snapshot-ambiguous', { snapshot: wanted });
    try {
      return await this.snapshot(matches[0]);
    } catch (error) {
      if (hasCode(error, 'file-not-found')) return fail('snapshot-not-found', { snapshot: wanted }, error);
      throw error;
    }
  }

  /** All keys, by ID. One that cannot be read goes to `onProblem`; without it the problem is thrown. */
  async keys(onProblem?: (id: string, error: HoldfastError) => void): Promise<ListedKey[]> {
    const keys: ListedKey[] = [];
    for (const id of await this.names('key')) {
      try {
        const file = parseKeyFile(await this.storage.load({ kind: 'key', name: id }));
        keys.push({ id, file, current: id === this.#keyId });
      } catch (error) {
        if (hasCode(error, 'file-not-found')) continue;
        if (!onProblem || !(error instanceof HoldfastError)) throw error;
        onProblem(id, error);
      }
    }
    return keys;
  }

  /** Adds a password; returns the new key's ID. */
  async addKey(password: string, owner: KeyOwner, clock: Clock, cost?: KeyCost): Promise<string> {
    const file = await lockKey(this.key, password, owner, cost ?? (await calibrate(clock)), this.#kernel, clock);
    const id = sha256(file).toString('hex');
    await this.storage.save({ kind: 'key', name: id }, [file]);
    // A key that does not open must never be the reason to remove one that does.
    const opened = await unlockKey(parseKeyFile(await this.storage.load({ kind: 'key', name: id })), password, this.#kernel);
    if (opened?.encrypt.equals(this.key.encrypt)) return id;
    await this.storage.remove({ kind: 'key', name: id });
    return fail('encoding-failed', { blob: 'key file' });
  }

  /** Removes the key whose ID begins with `prefix`. Throws `key-not-found`, or `key-in-use` for the one in use. */
  async removeKey(prefix: string): Promise<string> {
    const matches = (await this.names('key')).filter((name) => name.startsWith(prefix));
    if (prefix === '' || matches.length !== 1) return fail('key-not-found', { key: prefix });
    if (matches[0] === this.#keyId) return fail('key-in-use');
    await this.storage.remove({ kind: 'key', name: matches[0] });
    return matches[0];
  }

  /** Replaces the password that opened the repository; returns the new key's ID. */
  async changePassword(password: string, owner: KeyOwner, clock: Clock, cost?: KeyCost): Promise<string> {
    const id = await this.addKey(password, owner, clock, cost);
    const old = this.#keyId;
    this.#keyId = id;
    await this.storage.remove({ kind: 'key', name: old });
    return id;
  }
}

/** Whether a place holds a repository, or a part of one that somebody might still save: anything but keys alone. */
export async function holdsRepository(storage: Storage): Promise<boolean> {
  try {
    await storage.size(configFile);
    return true;
  } catch (error) {
    if (!hasCode(error, 'file-not-found')) throw error;
  }
  for (const kind of ['snapshot', 'index', 'pack'] as const) for await (const _ of storage.list(kind)) return true;
  return false;
}

/** The text of the first of these that was sealed with this key. */
function firstOpened(sealer: Sealer, configs: readonly Uint8Array[]): Buffer | undefined {
  for (const config of configs) {
    try {
      return openItem(sealer, config);
    } catch (error) {
      if (!hasCode(error, 'item-tampered')) throw error;
    }
  }
  return undefined;
}

interface OpenedConfig {
  readonly config: Config;
  readonly text: Buffer;
}

async function storeFirstKey(
  storage: Storage,
  password: string,
  owner: KeyOwner,
  cost: KeyCost,
  kernel: Kernel,
  clock: Clock,
): Promise<OpenedKey> {
  const key = randomMasterKey();
  const file = await lockKey(key, password, owner, cost, kernel, clock);
  const keyId = sha256(file).toString('hex');
  await storage.save({ kind: 'key', name: keyId }, [file]);
  return { key, keyId };
}

/** The key of a repository whose making ended before its config was stored; undefined when there is none. */
async function findFirstKey(storage: Storage, password: string, kernel: Kernel): Promise<OpenedKey | undefined> {
  const names = await listKeys(storage);
  if (names.length === 0) return undefined;
  try {
    return await findKey(storage, names, password, kernel);
  } catch (error) {
    if (hasCode(error, 'wrong-password') || hasCode(error, 'key-invalid'))
      return fail('repository-exists', { location: storage.location }, error);
    throw error;
  }
}

async function listKeys(storage: Storage): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of storage.list('key')) names.push(name);
  return names;
}

async function findKey(
  storage: Storage,
  names: readonly string[],
  password: string,
  kernel: Kernel,
  keyMemory?: KeyMemory,
): Promise<OpenedKey> {
  let damaged: HoldfastError | undefined;
  for (const name of names) {
    try {
      const bytes = await storage.load({ kind: 'key', name });
      const key = await unlockKey(parseKeyFile(bytes), password, kernel);
      if (!key) continue;
      await keyMemory?.keepKey({ name, bytes });
      return { key, keyId: name };
    } catch (error) {
      // Another program may have removed it since the listing.
      if (hasCode(error, 'file-not-found')) continue;
      if (!hasCode(error, 'key-invalid')) throw error;
      damaged = error;
    }
  }
  if (damaged) throw damaged;
  return fail('wrong-password', { location: storage.location });
}

/** False when the password is not this key's; undefined when that could not be told. */
async function tryKept({ name, bytes }: KeptKey, password: string, kernel: Kernel): Promise<OpenedKey | false | undefined> {
  try {
    const key = await unlockKey(parseKeyFile(bytes), password, kernel);
    return key ? { key, keyId: name } : false;
  } catch {
    return undefined;
  }
}
