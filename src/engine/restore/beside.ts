/** The other names under which `keep-both` restores what differs from the entry that is there. */
import { isUtf8 } from 'node:buffer';
import type { Node } from '../../repository/tree/node.ts';

const longestName = 255;
const longestExtension = 20;
const dot = 0x2e;
const space = 0x20;

/**
 * `name (restored 2026-11-20 14.05).ext`, from the second attempt on `name (restored 2026-11-20 14.05, 2).ext`; at most 255
 * bytes, for which the name is shortened (never within a letter). `stamp` holds 16 ASCII characters.
 */
export function besideName(name: Buffer, stamp: string, attempt: number, word = 'restored'): Buffer {
  const addition = Buffer.from(attempt === 0 ? ` (${word} ${stamp})` : ` (${word} ${stamp}, ${attempt + 1})`);
  const at = extensionStart(name);
  const extension = name.subarray(at);
  return Buffer.concat([shortened(name.subarray(0, at), longestName - addition.length - extension.length), addition, extension]);
}

function extensionStart(name: Buffer): number {
  const at = name.lastIndexOf(dot);
  return at > 0 && name.length - at <= longestExtension && !name.includes(space, at) ? at : name.length;
}

function shortened(name: Buffer, length: number): Buffer {
  if (name.length <= length) return name;
  let end = length;
  if (isUtf8(name)) while (end > 0 && (name[end] & 0xc0) === 0x80) end -= 1;
  return name.subarray(0, end);
}

const pattern = / \(restored (\d{4}-\d\d-\d\d \d\d\.\d\d)(?:, (\d{1,6}))?\)[^ ]*$/;

/** Whether `other` is a name that {@link besideName} gives for `name`, at whatever time. */
export function isBesideName(other: Buffer, name: Buffer): boolean {
  const [, stamp, attempt] = pattern.exec(other.toString('latin1')) ?? [];
  return stamp !== undefined && besideName(name, stamp, attempt === undefined ? 0 : Number(attempt) - 1).equals(other);
}

/** The name under which an undo keeps what was changed since: `name (kept 2026-11-20 14.05).ext`. */
export const keptName = (name: Buffer, stamp: string, attempt: number): Buffer => besideName(name, stamp, attempt, 'kept');

/** Finds other names in one folder; what it has given is taken from then on, also before anything is there. */
export class BesideNames {
  readonly #taken: Set<string>;
  readonly #restored: Buffer[];
  readonly #stamp: string;

  /** `existing` are the folder's names, read as "latin1"; `nodes` what the snapshot holds, which is going to be there. */
  constructor(existing: ReadonlySet<string>, nodes: readonly Node[], stamp: string) {
    this.#taken = new Set(existing);
    for (const node of nodes) this.#taken.add(node.name.toString('latin1'));
    this.#restored = [...existing].filter((name) => name.includes(' (restored ')).map((name) => Buffer.from(name, 'latin1'));
    this.#stamp = stamp;
  }

  /** A name beside `name` that nobody has. */
  free(name: Buffer): Buffer {
    for (let attempt = 0; ; attempt++) {
      const other = besideName(name, this.#stamp, attempt);
      const text = other.toString('latin1');
      if (this.#taken.has(text)) continue;
      this.#taken.add(text);
      return other;
    }
  }

  /** Names under which earlier runs have restored `name`. */
  restoredBefore(name: Buffer): Buffer[] {
    return this.#restored.filter((other) => isBesideName(other, name));
  }
}
