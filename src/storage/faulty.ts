/**
 * A storage that fails as it is told, to prove what everything above does when a destination fails.
 *
 * Words: a *fault* is a moment and an effect; the calls that match its moment are counted from 1, each fault for itself.
 * When several faults hit the same call, all delays pass first, then the first other one in the script decides.
 */

import type { Clock } from '../platform/clock.ts';
import { type ErrorCode, fail } from '../contract/errors.ts';
import { configFile, describeFile, type FileKind, type ListedFile, type Range, type Storage, type StoredFile } from './storage.ts';

export type StorageCall = 'create' | 'save' | 'replace' | 'load' | 'size' | 'list' | 'remove';

/** Which calls a fault hits: those of the given sort, from the `nth` (default 1), as many as `times` (default 1; Infinity: all that follow). */
export interface Moment {
  /** `mutation` is a save, a replacement or a remove; left out: every call. */
  readonly call?: StorageCall | 'mutation';
  readonly kind?: FileKind;
  readonly name?: string;
  readonly nth?: number;
  readonly times?: number;
}

export type Effect =
  /** The call fails with `code` (default `storage-failed`): `before` (default) it had any effect, or `after` it had all of it. */
  | { readonly do: 'fail'; readonly code?: ErrorCode; readonly when?: 'before' | 'after' }
  /** A save or replacement leaves the first `length` bytes under the final name and then fails with `code`; without a code it reports success, as a lying disk does. */
  | { readonly do: 'tear'; readonly length: number; readonly code?: ErrorCode }
  /** A save or replacement reports success and stores nothing. */
  | { readonly do: 'lose' }
  /** A load gives other bytes: flipped, fewer, more. */
  | { readonly do: 'change-bytes'; readonly change: (bytes: Uint8Array) => Uint8Array }
  | { readonly do: 'change-size'; readonly change: (size: number) => number }
  /** A listing gives other files: some missing, extra, twice, with wrong sizes. */
  | { readonly do: 'change-list'; readonly change: (files: ListedFile[]) => ListedFile[] }
  /** A listing breaks off with `code` (default `storage-failed`) after `after` files. */
  | { readonly do: 'break-list'; readonly after: number; readonly code?: ErrorCode }
  /** The call takes `ms` milliseconds of the clock longer. */
  | { readonly do: 'delay'; readonly ms: number };

export interface Fault {
  readonly at: Moment;
  readonly effect: Effect;
}

export interface FaultyOptions {
  readonly faults?: readonly Fault[];
  /** Saves that would bring the sum of saved bytes above this fail with `storage-full`. What is removed gives no room back. */
  readonly capacity?: number;
  /** Needed for delays. */
  readonly clock?: Pick<Clock, 'sleep'>;
}

export interface RecordedCall {
  readonly call: StorageCall;
  readonly kind?: FileKind;
  readonly name?: string;
}

/** The fault that makes every call from the `nth` on fail as if the destination had been unplugged. */
export const disconnectFrom = (nth: number): Fault => ({
  at: { nth, times: Number.POSITIVE_INFINITY },
  effect: { do: 'fail', code: 'storage-gone' },
});

export class FaultyStorage implements Storage {
  readonly location: string;
  readonly replaceConfig?: (parts: readonly Uint8Array[]) => Promise<void>;
  /** Every call so far, the failed ones too, in order: a test counts them, then fails each in turn. */
  readonly calls: RecordedCall[] = [];
  readonly #inner: Storage;
  readonly #clock: Pick<Clock, 'sleep'> | undefined;
  #faults: readonly Fault[];
  #capacity: number;
  #saved = 0;
  readonly #met = new Map<Fault, number>();

  constructor(inner: Storage, options: FaultyOptions = {}) {
    this.location = inner.location;
    this.#inner = inner;
    this.#clock = options.clock;
    this.#faults = options.faults ?? [];
    this.#capacity = options.capacity ?? Number.POSITIVE_INFINITY;
    const replace = inner.replaceConfig?.bind(inner);
    if (replace) this.replaceConfig = (parts) => this.#write('replace', configFile, parts, replace);
  }

  /** Replaces the script; its counts start anew. The capacity stays. */
  script(faults: readonly Fault[]): void {
    this.#faults = faults;
    this.#met.clear();
  }

  /** From now on everything works, whatever was scripted. */
  heal(): void {
    this.script([]);
    this.#capacity = Number.POSITIVE_INFINITY;
  }

  async create(): Promise<void> {
    const effect = await this.#meet({ call: 'create' });
    this.#fail(effect, 'before', 'create');
    await this.#inner.create();
    this.#fail(effect, 'after', 'create');
  }

  save(file: StoredFile, parts: readonly Uint8Array[]): Promise<void> {
    return this.#write('save', file, parts, (content) => this.#inner.save(file, content));
  }

  async load(file: StoredFile, range?: Range): Promise<Uint8Array> {
    const effect = await this.#meet({ call: 'load', ...file });
    this.#fail(effect, 'before', 'read', file);
    const bytes = await this.#inner.load(file, range);
    this.#fail(effect, 'after', 'read', file);
    return effect?.do === 'change-bytes' ? effect.change(bytes) : bytes;
  }

  async size(file: StoredFile): Promise<number> {
    const effect = await this.#meet({ call: 'size', ...file });
    this.#fail(effect, 'before', 'look at', file);
    const size = await this.#inner.size(file);
    this.#fail(effect, 'after', 'look at', file);
    return effect?.do === 'change-size' ? effect.change(size) : size;
  }

  async *list(kind: FileKind): AsyncGenerator<ListedFile> {
    const effect = await this.#meet({ call: 'list', kind });
    this.#fail(effect, 'before', 'list');
    if (effect?.do === 'change-list') {
      const files: ListedFile[] = [];
      for await (const listed of this.#inner.list(kind)) files.push(listed);
      yield* effect.change(files);
      return;
    }
    let left = effect?.do === 'break-list' ? effect.after : Number.POSITIVE_INFINITY;
    for await (const listed of this.#inner.list(kind)) {
      if (left-- === 0) break;
      yield listed;
    }
    if (effect?.do === 'break-list') this.#throw(effect.code, 'list');
    this.#fail(effect, 'after', 'list');
  }

  async remove(file: StoredFile): Promise<void> {
    const effect = await this.#meet({ call: 'remove', ...file });
    this.#fail(effect, 'before', 'remove', file);
    await this.#inner.remove(file);
    this.#fail(effect, 'after', 'remove', file);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #write(
    call: 'save' | 'replace',
    file: StoredFile,
    parts: readonly Uint8Array[],
    write: (parts: readonly Uint8Array[]) => Promise<void>,
  ): Promise<void> {
    const effect = await this.#meet({ call, ...file });
    this.#fail(effect, 'before', call, file);
    const length = parts.reduce((sum, part) => sum + part.byteLength, 0);
    if (this.#saved + length > this.#capacity) fail('storage-full', { location: this.location });
    if (effect?.do === 'lose') return;
    if (effect?.do === 'tear') {
      await write([Buffer.concat(parts).subarray(0, effect.length)]);
      this.#saved += Math.min(length, effect.length);
      if (effect.code) this.#throw(effect.code, call, file);
      return;
    }
    await write(parts);
    this.#saved += length;
    this.#fail(effect, 'after', call, file);
  }

  /** Records and counts a call for every fault; waits as scripted and gives the effect that decides, if there is one. */
  async #meet(call: RecordedCall): Promise<Effect | undefined> {
    this.calls.push(call);
    const hit: Effect[] = [];
    for (const fault of this.#faults) {
      const { at } = fault;
      if (!matches(at, call)) continue;
      const met = (this.#met.get(fault) ?? 0) + 1;
      this.#met.set(fault, met);
      const nth = at.nth ?? 1;
      if (met >= nth && met < nth + (at.times ?? 1)) hit.push(fault.effect);
    }
    for (const effect of hit) if (effect.do === 'delay') await this.#delay(effect.ms);
    return hit.find((effect) => effect.do !== 'delay');
  }

  async #delay(ms: number): Promise<void> {
    if (!this.#clock) throw new TypeError('a scripted delay needs a clock');
    await this.#clock.sleep(ms);
  }

  #fail(effect: Effect | undefined, when: 'before' | 'after', operation: string, file?: StoredFile): void {
    if (effect?.do === 'fail' && (effect.when ?? 'before') === when) this.#throw(effect.code, operation, file);
  }

  #throw(code: ErrorCode = 'storage-failed', operation: string, file?: StoredFile): never {
    fail(code, {
      location: this.location,
      operation,
      file: file ? describeFile(file) : 'its files',
      cause: 'injected fault',
      expected: 0,
      received: 0,
    });
  }
}

function matches(at: Moment, call: RecordedCall): boolean {
  const isMutation = call.call === 'save' || call.call === 'replace' || call.call === 'remove';
  const sort = at.call === 'mutation' ? isMutation : at.call === undefined || at.call === call.call;
  return sort && (at.kind === undefined || at.kind === call.kind) && (at.name === undefined || at.name === call.name);
}
