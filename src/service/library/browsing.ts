/** Looking into snapshots: folders, entries, previews, comparisons. Nothing of it is written to a disk. */
import type { BrowsedEntry, Comparison, Preview } from '../../contract/browse.ts';
import { fail } from '../../contract/errors.ts';
import type { Book } from '../../engine/browse/book.ts';
import type { FolderOrder } from '../../engine/browse/folder-job.ts';
import type { Entry } from '../../engine/entry.ts';
import { baseName, displayPath } from '../../platform/byte-paths.ts';
import { pathBytes, pathText } from '../../platform/path-text.ts';
import { compareTexts } from './compare-texts.ts';
import type { Holder, Library } from './library.ts';
import { decodeText, pictureType } from './text.ts';

export interface Where {
  readonly snapshot: string;
  readonly destination?: string | undefined;
  readonly path: string;
}

export interface FolderWish extends Where {
  readonly order: FolderOrder;
  readonly descending: boolean;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/** Enough to tell a picture from a text. */
const beginning = 8192;
/** Of texts that are compared. */
const comparedBytes = 1 << 20;

export class Browsing {
  readonly #library: Library;

  constructor(library: Library) {
    this.#library = library;
  }

  /** Throws `request-invalid` for what is no folder, and what {@link Library.read} throws. */
  async folder({ snapshot, destination, path, order, descending, cursor, limit }: FolderWish): Promise<{
    destination: string;
    entries: BrowsedEntry[];
    next: string | null;
    total: { entries: number; folders: number; bytes: number };
  }> {
    const from = cursor === undefined ? 0 : Number(cursor);
    if (!Number.isSafeInteger(from) || from < 0) fail('request-invalid', { problem: 'the cursor is none of ours' });
    return this.#library.read(snapshot, destination, async (book, holder) => {
      const bytes = pathBytes(path);
      const listed = await book.folder(holder.snapshot, bytes, { order, descending, from, limit });
      if (!listed) return fail('request-invalid', { problem: `${displayPath(bytes)} is no folder` });
      const { entries, total } = listed;
      const end = from + entries.length;
      return { destination: holder.destination, entries: entries.map(entryOf), next: end < total.entries ? String(end) : null, total };
    });
  }

  async info({ snapshot, destination, path }: Where): Promise<{ destination: string; entry: BrowsedEntry }> {
    return this.#library.read(snapshot, destination, async (book, holder) => ({
      destination: holder.destination,
      entry: entryOf((await found(book, holder, path)).entry),
    }));
  }

  async preview(where: Where, { textBytes, pictureBytes }: { textBytes: number; pictureBytes: number }): Promise<Preview> {
    return this.#library.read(where.snapshot, where.destination, async (book, holder): Promise<Preview> => {
      const { entry, content } = await found(book, holder, where.path);
      const shared = { destination: holder.destination, entry: entryOf(entry) };
      const none = (reason: Extract<Preview, { kind: 'none' }>['reason']): Preview => ({ kind: 'none', ...shared, reason });
      if (!content) return none('not-a-file');
      if (entry.size === 0) return none('empty');
      const first = await book.read(content, beginning);
      const mediaType = pictureType(first);
      if (mediaType) {
        if (entry.size > pictureBytes) return none('too-large');
        const bytes = await book.read(content, entry.size);
        return { kind: 'picture', ...shared, mediaType, base64: bytes.toString('base64') };
      }
      const bytes = (entry.size > first.length && textBytes > first.length ? await book.read(content, textBytes) : first).subarray(
        0,
        textBytes,
      );
      const isCut = bytes.length < entry.size;
      const text = decodeText(bytes, isCut);
      return text ? { kind: 'text', ...shared, ...text, isCut } : none('binary');
    });
  }

  /** Two versions of a file, which may be in different snapshots and destinations. */
  async compare(before: Where, after: Where, context: number): Promise<Comparison> {
    const [a, b] = [await this.#side(before), await this.#side(after)];
    if (a.content && b.content && a.size === b.size && a.destination === b.destination && a.content.equals(b.content))
      return { kind: 'same' };
    const problem = a.reason ?? b.reason;
    if (problem !== undefined) return { kind: 'none', reason: problem };
    if (a.isPicture || b.isPicture) return a.isPicture && b.isPicture ? { kind: 'pictures' } : { kind: 'none', reason: 'binary' };
    if (a.text === undefined || b.text === undefined) return { kind: 'none', reason: 'binary' };
    if (a.text === b.text && !a.isCut && !b.isCut) return { kind: 'same' };
    return compareTexts(a.text, b.text, context, a.isCut || b.isCut);
  }

  async #side({ snapshot, destination: wanted, path }: Where): Promise<ComparedSide> {
    return this.#library.read(snapshot, wanted, async (book, holder): Promise<ComparedSide> => {
      const { entry, content } = await found(book, holder, path);
      const { size } = entry;
      const side = { destination: holder.destination, size, content: content && Buffer.from(content), isPicture: false, isCut: false };
      if (!content) return { ...side, reason: 'not-a-file' };
      const bytes = (await book.read(content, comparedBytes)).subarray(0, comparedBytes);
      const isCut = bytes.length < size;
      if (pictureType(bytes)) return { ...side, isPicture: true };
      return { ...side, isCut, text: size === 0 ? '' : decodeText(bytes, isCut)?.text };
    });
  }
}

interface ComparedSide {
  readonly destination: string;
  readonly size: number;
  readonly content: Buffer | undefined;
  readonly isPicture: boolean;
  readonly isCut: boolean;
  readonly text?: string | undefined;
  readonly reason?: 'not-a-file' | undefined;
}

async function found(book: Book, { snapshot }: Holder, path: string): Promise<{ entry: Entry; content: Uint8Array | undefined }> {
  const bytes = pathBytes(path);
  const { entry, content } = await book.find(snapshot, bytes);
  // The root has no entry.
  return entry ? { entry, content } : fail('snapshot-path-not-found', { snapshot: snapshot.id, path: displayPath(bytes) });
}

const entryOf = ({ path, type, size, mtimeNs, mode, user, group, linkTarget }: Entry): BrowsedEntry => ({
  path: pathText(path),
  name: pathText(baseName(path)),
  type,
  size,
  changed: Number(mtimeNs / 1000n) / 1000,
  mode,
  user,
  group,
  linkTarget: linkTarget && linkTarget.length > 0 ? pathText(linkTarget) : null,
});
