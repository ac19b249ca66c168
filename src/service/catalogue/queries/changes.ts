/** What differs between two moments. Folders with the same tree in both are not looked into. */
import type { CatalogueChange, EntryFactsView } from '../../../contract/catalogue.ts';
import { folderType } from '../../../engine/listing/format.ts';
import type { Row } from '../database.ts';
import { asBuffer } from '../names.ts';
import {
  cursorOf,
  factColumns,
  factsOf,
  folderAt,
  fromCursor,
  holdsAt,
  inCursor,
  momentOf,
  namesOf,
  pathOf,
  placeOfCursor,
  type View,
} from './view.ts';

export interface ChangesRequest {
  readonly before: string;
  readonly after: string;
  readonly path?: string | undefined;
  readonly metadata: boolean;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

interface Side {
  readonly folder: number;
  readonly at: number;
}

const rowsAtOnce = 1000;
/** After so many entries a page ends, whatever it holds. */
const mostLooked = 50_000;

/** Throws `not-catalogued`. */
export function listChanges(view: View, request: ChangesRequest): { changes: CatalogueChange[]; next: string | null } {
  return new Changes(view, request).page();
}

class Changes {
  readonly #view: View;
  readonly #request: ChangesRequest;
  readonly #changes: CatalogueChange[] = [];
  #looked = 0;
  /** The names on the way to what was looked at last, below the folder that is compared. */
  #last: readonly Uint8Array[] = [];

  constructor(view: View, request: ChangesRequest) {
    this.#view = view;
    this.#request = request;
  }

  page(): { changes: CatalogueChange[]; next: string | null } {
    const { before, after, path = '/', cursor } = this.#request;
    const names = namesOf(path);
    const sideOf = (snapshot: string): Side | undefined => {
      const at = momentOf(this.#view, snapshot);
      const folder = folderAt(this.#view.rows, this.#view.calendar.lineAt.get(at)!.root, names);
      return folder === undefined ? undefined : { folder, at };
    };
    const place = placeOfCursor(cursor, 1);
    const from = place ? String(place[0]).split('.').map(fromCursor) : [];
    const isDone = this.#compare(sideOf(before), sideOf(after), names, [], from);
    return { changes: this.#changes, next: isDone ? null : cursorOf([this.#last.map(inCursor).join('.')]) };
  }

  /** `from`: the names on the way to what was looked at last. False when the page is full. */
  #compare(
    first: Side | undefined,
    second: Side | undefined,
    path: readonly Buffer[],
    way: readonly Buffer[],
    from: readonly Buffer[],
  ): boolean {
    if (this.#isSame(first, second)) return true;
    let name = from[0] ?? Buffer.alloc(0);
    const isOnTheWay = from.length > 0;
    // Of one line, what both moments have in common need not be looked at, but for what may lie in a folder.
    const isOneLine = first !== undefined && second !== undefined && first.folder === second.folder;
    const [left, right] = [
      new Entries(this.#view, first, isOneLine ? second.at : undefined, name, isOnTheWay),
      new Entries(this.#view, second, isOneLine ? first.at : undefined, name, isOnTheWay),
    ];
    for (;;) {
      const [a, b] = [left.peek(), right.peek()];
      if (!a && !b) return true;
      const order = a && b ? asBuffer(a[0]).compare(asBuffer(b[0])) : a ? -1 : 1;
      const [before, after] = [order <= 0 ? a : undefined, order >= 0 ? b : undefined];
      if (before) left.take();
      if (after) right.take();
      name = asBuffer((before ?? after)![0]);
      const here = [...way, name];
      const isDone = isOnTheWay && from[0].equals(name);
      if (!isDone) {
        this.#tell(before, after, [...path, name]);
        this.#last = here;
        this.#looked += 1;
        if (this.#isFull) return false;
      }
      if (!this.#below(first, second, before, after, [...path, name], here, isDone ? from.slice(1) : [])) return false;
    }
  }

  #below(
    first: Side | undefined,
    second: Side | undefined,
    before: Row | undefined,
    after: Row | undefined,
    path: readonly Buffer[],
    way: readonly Buffer[],
    from: readonly Buffer[],
  ): boolean {
    const inside = (side: Side | undefined, row: Row | undefined): Side | undefined => {
      if (!side || row?.[1] !== folderType) return undefined;
      const folder = folderAt(this.#view.rows, side.folder, [asBuffer(row[0])]);
      return folder === undefined ? undefined : { folder, at: side.at };
    };
    const [a, b] = [inside(first, before), inside(second, after)];
    return (!a && !b) || this.#compare(a, b, path, way, from);
  }

  get #isFull(): boolean {
    return this.#changes.length >= this.#request.limit || this.#looked >= mostLooked;
  }

  #isSame(first: Side | undefined, second: Side | undefined): boolean {
    if (!first || !second) return !first && !second;
    const treeOf = ({ folder, at }: Side): unknown =>
      this.#view.rows.get(`SELECT tree FROM trees WHERE folder = ? AND ${holdsAt}`, folder, at, at)?.[0];
    const [a, b] = [treeOf(first), treeOf(second)];
    return a instanceof Uint8Array && b instanceof Uint8Array && asBuffer(a).equals(asBuffer(b));
  }

  #tell(before: Row | undefined, after: Row | undefined, path: readonly Buffer[]): void {
    const kind = kindOf(before, after);
    if (!kind || (kind === 'metadata' && !this.#request.metadata)) return;
    const facts = (row: Row | undefined): EntryFactsView | null => (row ? factsOf(row, 1) : null);
    this.#changes.push({ kind, path: pathOf(path), before: facts(before), after: facts(after) });
  }
}

function kindOf(before: Row | undefined, after: Row | undefined): CatalogueChange['kind'] | undefined {
  if (!before) return 'added';
  if (!after) return 'removed';
  if (before[1] !== after[1]) return 'type';
  if (before[3] !== after[3] || before[6] !== after[6]) return 'content';
  return before.slice(2).join() === after.slice(2).join() ? undefined : 'metadata';
}

/** The entries of a folder at a moment, by name. */
class Entries {
  readonly #view: View;
  readonly #side: Side | undefined;
  readonly #unless: number;
  #name: Buffer;
  #withName: boolean;
  #rows: Row[] = [];
  #at = 0;
  #isLast: boolean;

  /** From a name on; with or without it. `unless`: without what is no folder, and is the same at that moment. */
  constructor(view: View, side: Side | undefined, unless: number | undefined, name: Buffer, withName: boolean) {
    this.#view = view;
    this.#side = side;
    // At 0 nothing holds.
    this.#unless = unless ?? 0;
    this.#name = name;
    this.#withName = withName;
    this.#isLast = side === undefined;
  }

  peek(): Row | undefined {
    if (this.#at === this.#rows.length && !this.#isLast) {
      const { folder, at } = this.#side!;
      this.#rows = this.#view.rows.all(
        `SELECT name, ${factColumns} FROM versions WHERE folder = ? AND name ${this.#withName ? '>=' : '>'} ? AND ${holdsAt}
             AND (type = ${folderType} OR NOT (${holdsAt})) ORDER BY name LIMIT ?`,
        folder,
        this.#name,
        at,
        at,
        this.#unless,
        this.#unless,
        rowsAtOnce,
      );
      this.#at = 0;
      this.#isLast = this.#rows.length < rowsAtOnce;
      this.#withName = false;
    }
    return this.#rows[this.#at];
  }

  take(): void {
    this.#name = asBuffer(this.#rows[this.#at++][0]);
  }
}
