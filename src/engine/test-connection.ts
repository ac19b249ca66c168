/**
 * The connection test: tries what a backup would need of a place, step by step, and says what is wrong and what to do.
 *
 * It leaves nothing behind. Whether something can be written is tried with an empty lock, which every program ignores;
 * whether something could be removed, with a file that nobody has. Nothing is tried twice: a person is waiting.
 */
import { HoldfastError, hasCode, toHoldfastError } from '../contract/errors.ts';
import { sha256 } from '../repository/ids.ts';
import { parseKeyFile } from '../repository/keys.ts';
import { Repository } from '../repository/repository.ts';
import type { OpenContext } from '../storage/kind.ts';
import { isMissingPlace } from '../storage/missing-place.ts';
import { openPlace } from '../storage/place.ts';
import type { FileKind, Storage, StoredFile } from '../storage/storage.ts';

export type StepName = 'address' | 'reach' | 'repository' | 'create' | 'write' | 'remove' | 'clock' | 'password';

export interface ConnectionStep {
  readonly step: StepName;
  /** `warning`: it works, and a person should know about it. */
  readonly result: 'ok' | 'warning' | 'failed' | 'skipped';
  /** A sentence. */
  readonly detail: string;
  /** Of a step that failed: what is wrong, and what to do. */
  readonly error?: HoldfastError | undefined;
}

/** Who made a password of the repository, as the key file says it. */
export interface KeyMaker {
  readonly username: string;
  readonly hostname: string;
  readonly created: string;
}

/**
 * - `ready`: a repository is there, and all that was tried works
 * - `empty`: the place can be used, and no repository is there yet
 * - `missing`: the place itself is not there yet, so that it would have to be made
 * - `unusable`: the first step that failed says why
 */
export type Verdict = 'ready' | 'empty' | 'missing' | 'unusable';

export interface ConnectionReport {
  /** Without secrets; the kind alone when the address cannot be read. */
  readonly location: string;
  readonly verdict: Verdict;
  readonly steps: readonly ConnectionStep[];
  /** Of the first step that failed. */
  readonly error: HoldfastError | undefined;
  /** Undefined when none was found. */
  readonly repository:
    | {
        /** Known once a password has opened it. */
        readonly id: string | undefined;
        readonly keys: readonly KeyMaker[];
        /** Whether any password was made by this person on this computer; undefined when no key could be read. */
        readonly isOwn: boolean | undefined;
      }
    | undefined;
  /** Nothing can be removed there; undefined when it was not found out. */
  readonly isAppendOnly: boolean | undefined;
  /** Time of the first answer, in milliseconds. */
  readonly answerMs: number | undefined;
  /** How far the clock there is ahead of this computer's, in milliseconds. */
  readonly clockSkewMs: number | undefined;
}

export interface ConnectionTest extends OpenContext {
  readonly identity: { readonly username: string; readonly hostname: string };
  /** Tried on the repository, if one is there. */
  readonly password?: string | undefined;
  /** Tries to write and to remove where a repository is; default true. */
  readonly write?: boolean | undefined;
  /** Makes the place (folder, bucket) if it is not there, and tries to write there too; default false. */
  readonly create?: boolean | undefined;
}

/** Locks count as left behind after half an hour: clocks must not differ by anything near that. */
const worryingSkewMs = 5 * 60_000;

const configFile: StoredFile = { kind: 'config', name: '' };
const emptyLock: StoredFile = { kind: 'lock', name: sha256(Buffer.alloc(0)).toString('hex') };

/** Tests a place. Never throws, but for defects: what is wrong is in the report. */
export async function testConnection(place: string, test: ConnectionTest): Promise<ConnectionReport> {
  const run = new ConnectionRun(test);
  let storage: Storage;
  try {
    storage = await openPlace(place, test);
  } catch (error) {
    run.failed('address', error);
    return run.report('this place');
  }
  try {
    await run.tryAll(storage);
    return run.report(storage.location);
  } finally {
    await storage.close().catch(() => {});
  }
}

class ConnectionRun {
  readonly #test: ConnectionTest;
  readonly #steps: ConnectionStep[] = [];
  #place: 'unknown' | 'missing' | 'there' = 'unknown';
  #isRepository = false;
  #id: string | undefined;
  #keys: KeyMaker[] = [];
  #isAppendOnly: boolean | undefined;
  #answerMs: number | undefined;
  #clockSkewMs: number | undefined;

  constructor(test: ConnectionTest) {
    this.#test = test;
  }

  async tryAll(storage: Storage): Promise<void> {
    if (!(await this.#reach(storage))) return;
    if (this.#place === 'there' && !(await this.#look(storage))) return;
    if (!this.#isRepository && this.#test.create && !(await this.#create(storage))) return;
    await this.#write(storage);
    this.#compareClocks(storage);
    await this.#open(storage);
  }

  report(location: string): ConnectionReport {
    const error = this.#steps.find(({ result }) => result === 'failed')?.error;
    const { username, hostname } = this.#test.identity;
    const isOwn = this.#keys.some((key) => key.username === username && key.hostname === hostname);
    return {
      location,
      verdict: error ? 'unusable' : this.#isRepository ? 'ready' : this.#place === 'missing' ? 'missing' : 'empty',
      steps: this.#steps,
      error,
      repository: this.#isRepository ? { id: this.#id, keys: this.#keys, isOwn: this.#keys.length === 0 ? undefined : isOwn } : undefined,
      isAppendOnly: this.#isAppendOnly,
      answerMs: this.#answerMs,
      clockSkewMs: this.#clockSkewMs,
    };
  }

  failed(step: StepName, thrown: unknown): void {
    const error = toHoldfastError(thrown);
    this.#steps.push({ step, result: 'failed', detail: error.message, error });
  }

  #note(step: StepName, result: 'ok' | 'warning' | 'skipped', detail: string): void {
    this.#steps.push({ step, result, detail });
  }

  /** Whether the place answers, be it that it is not there. */
  async #reach(storage: Storage): Promise<boolean> {
    const { clock } = this.#test;
    const begun = clock.monotonic();
    try {
      await storage.size(configFile);
      this.#isRepository = true;
      this.#place = 'there';
    } catch (error) {
      if (hasCode(error, 'file-not-found')) this.#place = 'there';
      else if (isMissingPlace(error)) this.#place = 'missing';
      else {
        this.failed('reach', error);
        return false;
      }
    }
    this.#answerMs = clock.monotonic() - begun;
    const within = `within ${Math.max(1, Math.round(this.#answerMs))} ms`;
    if (this.#place === 'there') this.#note('reach', 'ok', `It answers ${within}.`);
    else this.#note('reach', 'ok', `It answers ${within}: this place is not there yet; "holdfast init" makes it.`);
    return true;
  }

  /** What is there, and whose. */
  async #look(storage: Storage): Promise<boolean> {
    try {
      if (this.#isRepository) {
        await storage.load(configFile);
        await this.#readKeys(storage);
        this.#note('repository', 'ok', `A repository is there, ${describeMakers(this.#keys)}.`);
        return true;
      }
      const [kind] = await heldKinds(storage);
      if (kind === undefined) this.#note('repository', 'ok', 'No repository is there yet; "holdfast init" makes one.');
      else if (kind === 'key')
        this.#note(
          'repository',
          'warning',
          'A repository was begun there and not finished; "holdfast init" with the same password finishes it.',
        );
      else throw new HoldfastError('config-invalid', { cause: `it is missing, though ${kind} files are there` });
      return true;
    } catch (error) {
      this.failed('repository', error);
      return false;
    }
  }

  async #readKeys(storage: Storage): Promise<void> {
    for await (const { name } of storage.list('key')) {
      try {
        const { username, hostname, created } = parseKeyFile(await storage.load({ kind: 'key', name }));
        this.#keys.push({ username, hostname, created });
      } catch (error) {
        // One damaged key says nothing about the connection; a check tells of it.
        if (!hasCode(error, 'key-invalid') && !hasCode(error, 'file-not-found')) throw error;
      }
    }
    this.#keys.sort((a, b) => (a.created < b.created ? -1 : 1));
  }

  async #create(storage: Storage): Promise<boolean> {
    try {
      await storage.create();
      this.#place = 'there';
      this.#note('create', 'ok', 'The place is ready for a repository.');
      return true;
    } catch (error) {
      this.failed('create', error);
      return false;
    }
  }

  async #write(storage: Storage): Promise<void> {
    if (this.#test.write === false) return this.#note('write', 'skipped', 'Whether something can be stored there was not tried.');
    if (!this.#isRepository && !this.#test.create)
      return this.#note('write', 'skipped', 'Whether something can be stored there shows when a repository is made.');
    try {
      await saveEmptyLock(storage);
      this.#note('write', 'ok', 'Something could be stored there.');
    } catch (error) {
      this.failed('write', error);
      return;
    }
    try {
      await storage.remove(emptyLock).catch((error: unknown) => {
        // Somebody else tests at the same moment.
        if (!hasCode(error, 'file-not-found')) throw error;
      });
      this.#isAppendOnly = (await storage.refusesRemoval?.()) ?? false;
      if (this.#isAppendOnly)
        this.#note('remove', 'warning', 'It only takes additions: backups can be made there, and old ones must be removed in another way.');
      else this.#note('remove', 'ok', 'It could be removed again.');
    } catch (error) {
      this.failed('remove', error);
    }
  }

  #compareClocks({ clockSkewMs }: Storage): void {
    this.#clockSkewMs = clockSkewMs;
    if (clockSkewMs === undefined) return;
    const minutes = Math.round(Math.abs(clockSkewMs) / 60_000);
    if (Math.abs(clockSkewMs) < worryingSkewMs) this.#note('clock', 'ok', 'Its clock agrees with that of this computer.');
    else
      this.#note(
        'clock',
        'warning',
        `The clock of this computer is ${minutes} minutes ${clockSkewMs > 0 ? 'behind' : 'ahead of'} that of the server; one of them is wrong.`,
      );
  }

  async #open(storage: Storage): Promise<void> {
    const { password } = this.#test;
    if (!this.#isRepository) return;
    if (password === undefined) return this.#note('password', 'skipped', 'No password was given to open the repository with.');
    try {
      const { config } = await Repository.open(storage, password);
      this.#id = config.id;
      this.#note('password', 'ok', `The password opens the repository ${config.id.slice(0, 10)}.`);
    } catch (error) {
      this.failed('password', error);
    }
  }
}

/** The kinds of which there is any file, keys last. */
async function heldKinds(storage: Storage): Promise<FileKind[]> {
  const held: FileKind[] = [];
  for (const kind of ['snapshot', 'index', 'pack', 'key'] as const) {
    for await (const _ of storage.list(kind)) {
      held.push(kind);
      break;
    }
  }
  return held;
}

/** One that an earlier test has left behind gives way. */
async function saveEmptyLock(storage: Storage): Promise<void> {
  try {
    await storage.save(emptyLock, []);
  } catch (error) {
    if (!hasCode(error, 'file-exists')) throw error;
    await storage.remove(emptyLock).catch(() => {});
    await storage.save(emptyLock, []);
  }
}

function describeMakers(keys: readonly KeyMaker[]): string {
  const [first] = keys;
  if (!first) return 'none of whose passwords can be read';
  const others =
    keys.length === 1 ? '' : `, and ${keys.length - 1} more ${keys.length === 2 ? 'password was' : 'passwords were'} added later`;
  const who = first.username === '' ? 'somebody' : first.username;
  return `made by ${who} on ${first.hostname === '' ? 'a computer without a name' : first.hostname} on ${first.created.slice(0, 10)}${others}`;
}
