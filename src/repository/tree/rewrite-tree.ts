/**
 * Writing a stored tree again with some of its nodes left out or changed, without losing anything of the others.
 *
 * What this version does not know of a tree it cannot keep in step with a change: a tree from a newer program might hold, say,
 * the sum of its sizes. So a tree is only written again when encoding it anew gives the very bytes that are stored, as restic's
 * rewrite has it. Times keep the zone that they were written in.
 */
import { fail } from '../../contract/errors.ts';
import { formatNodeWithTimes, TreeWriter } from './format.ts';
import type { Node } from './node.ts';
import { TreeReader } from './parse.ts';

const begin = Buffer.from('{"nodes":[');
const end = Buffer.from(']}\n');

interface TimeTexts {
  readonly mtime: string;
  readonly atime: string;
  readonly ctime: string;
}

const mtimeKey = Buffer.from('"mtime":"');
const atimeKey = Buffer.from('","atime":"');
const ctimeKey = Buffer.from('","ctime":"');
const quote = 0x22;

/**
 * The texts of the times in a node's JSON; undefined where they do not stand in the usual order. (Within a string no quote stands
 * without a backslash, so that the keys are found nowhere else.)
 */
function timeTexts(raw: Buffer): TimeTexts | undefined {
  const at = raw.indexOf(mtimeKey);
  if (at < 0) return undefined;
  const mtimeAt = at + mtimeKey.length;
  const mtimeEnd = raw.indexOf(quote, mtimeAt);
  const atimeAt = mtimeEnd + atimeKey.length;
  if (!raw.subarray(mtimeEnd, atimeAt).equals(atimeKey)) return undefined;
  const atimeEnd = raw.indexOf(quote, atimeAt);
  const ctimeAt = atimeEnd + ctimeKey.length;
  if (!raw.subarray(atimeEnd, ctimeAt).equals(ctimeKey)) return undefined;
  return {
    mtime: raw.toString('latin1', mtimeAt, mtimeEnd),
    atime: raw.toString('latin1', atimeAt, atimeEnd),
    ctime: raw.toString('latin1', ctimeAt, raw.indexOf(quote, ctimeAt)),
  };
}

/** No zeros at the end of a fraction of at most nine digits; an offset of zero is a Z. */
const usualTime = /^[^.]{19}(?:\.\d{0,8}[1-9])?(?:Z|[+-](?!00:00)\d\d:\d\d)$/;

/** The times of a node whose encoding anew is what is stored; undefined for any other. */
function reproducibleTimes(node: Node, raw: Buffer): TimeTexts | undefined {
  const texts = timeTexts(raw);
  if (!texts || !usualTime.test(texts.mtime) || !usualTime.test(texts.atime) || !usualTime.test(texts.ctime)) return undefined;
  return Buffer.from(formatNodeWithTimes(node, texts.mtime, texts.atime, texts.ctime)).equals(raw) ? texts : undefined;
}

/**
 * Goes through a tree node by node; after each, the caller says what becomes of it, and in the end what the whole becomes.
 * Takes little more memory than the text.
 */
export class TreeRewriter {
  readonly #text: Buffer;
  readonly #tree: string;
  readonly #reader: TreeReader;
  #writer: TreeWriter | undefined;
  /** Where the nodes begin that stay as they are and are not written yet, and where the last node ended. */
  #stayFrom = begin.length;
  #last = begin.length;
  #nodes = 0;
  #node: Node | undefined;
  #times: TimeTexts | undefined;
  /** Where the present node begins. */
  #at = 0;

  /** `text` must not change afterwards; `tree` is its ID, for errors. */
  constructor(text: Buffer, tree: string) {
    this.#text = text;
    this.#tree = tree;
    this.#reader = new TreeReader(text, tree);
  }

  /**
   * The next node, which stays unless {@link leaveOut} or {@link changeSubtree} follows. Undefined behind the last one. Throws
   * `tree-invalid`, and `tree-unknown-form` for a tree that would not be encoded the same again.
   */
  next(): Node | undefined {
    const node = this.#reader.next();
    this.#node = node;
    if (this.#nodes === 0 && !this.#text.subarray(0, begin.length).equals(begin)) this.#refuse();
    if (!node) {
      if (!this.#text.subarray(this.#last).equals(end)) this.#refuse();
      return undefined;
    }
    const { byteOffset, length } = node.raw!;
    this.#at = byteOffset - this.#text.byteOffset;
    // Between two nodes stands a comma, and nothing else.
    if (this.#at !== this.#last + (this.#nodes === 0 ? 0 : 1)) this.#refuse();
    this.#last = this.#at + length;
    this.#nodes += 1;
    this.#times = reproducibleTimes(node, this.#text.subarray(this.#at, this.#last)) ?? this.#refuse();
    return node;
  }

  /** The present node goes. */
  leaveOut(): void {
    this.#writeStaying();
  }

  /** The present node, a folder, gets another tree. */
  changeSubtree(subtree: Buffer): void {
    const writer = this.#writeStaying();
    const { mtime, atime, ctime } = this.#times!;
    writer.add(formatNodeWithTimes({ ...this.#node!, subtree }, mtime, atime, ctime));
  }

  /** The new text, after the last node; undefined when nothing has changed. */
  finish(): Buffer | undefined {
    if (!this.#writer) return undefined;
    if (this.#last > this.#stayFrom) this.#writer.add(this.#text.subarray(this.#stayFrom, this.#last));
    return this.#writer.finish();
  }

  /** Writes the nodes before the present one that stay, commas included. */
  #writeStaying(): TreeWriter {
    this.#writer ??= new TreeWriter();
    // Less the comma in front of the present node.
    if (this.#at - 1 > this.#stayFrom) this.#writer.add(this.#text.subarray(this.#stayFrom, this.#at - 1));
    this.#stayFrom = this.#last + 1;
    return this.#writer;
  }

  #refuse(): never {
    return fail('tree-unknown-form', { tree: this.#tree });
  }
}
