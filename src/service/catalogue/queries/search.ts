/** Entries by name, over all snapshots. */
import type { SearchHit } from '../../../contract/catalogue.ts';
import { nameText } from '../../../engine/backup/name-text.ts';
import type { nodeTypes } from '../../../engine/listing/format.ts';
import type { Row } from '../database.ts';
import { asBuffer, indexedUpTo } from '../names.ts';
import type { CalendarLine } from './calendar.ts';
import { searchText, type SearchText } from './search-text.ts';
import { below, cursorOf, factsOf, folderAt, namesOf, placeOfCursor, type View } from './view.ts';
import { type FoundVersion, versionsAt, whichOf } from './versions.ts';

export interface SearchRequest {
  readonly text: string;
  readonly as?: 'part' | 'pattern' | undefined;
  readonly plan?: string | undefined;
  readonly destination?: string | undefined;
  readonly within?: string | undefined;
  readonly types?: readonly (typeof nodeTypes)[number][] | undefined;
  readonly minSize?: number | undefined;
  readonly maxSize?: number | undefined;
  readonly changedFrom?: number | undefined;
  readonly changedUntil?: number | undefined;
  readonly from?: number | undefined;
  readonly until?: number | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/** Names, and places of a name, that are looked at together. */
const atOnce = 500;
/** After so many of them a page ends, whatever it holds. */
const mostLooked = 20_000;
/** Names that a page goes through where the index does not help. */
const mostScanned = 500_000;

/** Paths of folders, and the lines that they are of, while a page is made. */
interface Folder {
  readonly path: string;
  /** Undefined: of snapshots that do not count. */
  readonly line: CalendarLine | undefined;
  /** It is, or lies in, one that is searched. */
  readonly isWithin: boolean;
}

/** Throws `bad-usage` for a pattern that cannot be read. */
export function search(view: View, request: SearchRequest): { hits: SearchHit[]; next: string | null } {
  return new Search(view, request).page();
}

class Search {
  readonly #view: View;
  readonly #request: SearchRequest;
  readonly #text: SearchText;
  readonly #folders = new Map<number, Folder>();
  readonly #within: ReadonlySet<number> | undefined;
  readonly #lines: ReadonlySet<CalendarLine>;
  readonly #hits: SearchHit[] = [];
  #looked = 0;
  /** What is behind these is not looked at yet. */
  #name: number;
  #folder: number;

  constructor(view: View, request: SearchRequest) {
    this.#view = view;
    this.#request = request;
    this.#text = searchText(request.text, request.as);
    this.#lines = new Set(view.calendar.linesFor(whichOf(view, request)));
    const { within } = request;
    this.#within =
      within === undefined ? undefined : new Set([...this.#lines].flatMap(({ root }) => folderAt(view.rows, root, namesOf(within)) ?? []));
    [this.#name, this.#folder] = (placeOfCursor(request.cursor, 2) as [number, number] | undefined) ?? [0, 0];
  }

  page(): { hits: SearchHit[]; next: string | null } {
    const upTo = this.#text.query === undefined ? 0 : indexedUpTo(this.#view.rows);
    const isDone = this.#goThrough((from) => this.#indexed(from, upTo)) && this.#scan(upTo);
    return { hits: this.#hits, next: isDone ? null : cursorOf([this.#name, this.#folder]) };
  }

  #indexed(from: number, upTo: number): { names: Row[]; isLast: boolean } {
    const { query } = this.#text;
    if (query === undefined || from > upTo) return { names: [], isLast: true };
    const names = this.#view.rows.all(
      `SELECT n.id, n.name, n.folded FROM (SELECT rowid FROM search WHERE search MATCH ? AND rowid >= ? ORDER BY rowid LIMIT ?) s
         JOIN names n ON n.id = s.rowid ORDER BY n.id`,
      query,
      from,
      atOnce,
    );
    return { names, isLast: names.length < atOnce };
  }

  /** Names that the index does not have. */
  #scan(upTo: number): boolean {
    const { rows } = this.#view;
    this.#name = Math.max(this.#name, upTo);
    if (this.#name === upTo && upTo > 0) this.#folder = Number.MAX_SAFE_INTEGER;
    const end = Number(rows.get('SELECT MAX(id) FROM names')![0] ?? 0);
    const stop = Math.min(end, this.#name + mostScanned);
    const { part } = this.#text;
    const isThrough = this.#goThrough((from) => {
      const names = rows.all(
        `SELECT id, name, folded FROM names WHERE id BETWEEN ? AND ?
           ${part === '' ? '' : 'AND instr(COALESCE(folded, CAST(name AS TEXT)), ?) > 0'} ORDER BY id LIMIT ?`,
        from,
        stop,
        ...(part === '' ? [] : [part]),
        atOnce,
      );
      return { names, isLast: names.length < atOnce };
    });
    if (!isThrough) return false;
    [this.#name, this.#folder] = [stop, Number.MAX_SAFE_INTEGER];
    return stop === end;
  }

  /** False when the page is full. The place that was looked at last may have more to look at. */
  #goThrough(next: (from: number) => { names: Row[]; isLast: boolean }): boolean {
    for (;;) {
      const from = this.#folder === Number.MAX_SAFE_INTEGER ? this.#name + 1 : this.#name;
      const { names, isLast } = next(from);
      for (const [id, name, folded] of names as [number, Uint8Array, string | null][]) {
        if (id !== this.#name) [this.#name, this.#folder] = [id, 0];
        this.#looked += 1;
        const bytes = asBuffer(name);
        if (this.#text.matches(folded ?? nameText(bytes)) && !this.#places(id, bytes)) return false;
        this.#folder = Number.MAX_SAFE_INTEGER;
        if (this.#isFull) return false;
      }
      if (isLast) return true;
    }
  }

  get #isFull(): boolean {
    return this.#hits.length >= this.#request.limit || this.#looked >= mostLooked;
  }

  /** Looks into the folders that have the name; false when the page is full before. */
  #places(id: number, name: Buffer): boolean {
    for (;;) {
      const places = this.#view.rows.all(
        'SELECT folder FROM places WHERE name = ? AND folder > ? ORDER BY folder LIMIT ?',
        id,
        this.#folder,
        atOnce,
      );
      for (const [folder] of places as [number][]) {
        this.#folder = folder;
        this.#looked += 1;
        this.#look(folder, name);
        if (this.#isFull) return false;
      }
      if (places.length < atOnce) return true;
    }
  }

  #look(number: number, name: Buffer): void {
    const { path, line, isWithin } = this.#folderOf(number);
    if (!line || !isWithin || !this.#lines.has(line)) return;
    const versions = versionsAt(this.#view, line, number, name, whichOf(this.#view, this.#request)).filter((version) =>
      this.#isWanted(version),
    );
    if (versions.length === 0) return;
    const newest = versions.reduce((a, b) => (a.positions.at(-1)! > b.positions.at(-1)! ? a : b));
    const positions = versions.flatMap((version) => version.positions).sort((a, b) => a - b);
    const text = nameText(name);
    this.#hits.push({
      path: below(path, text),
      name: text,
      ...factsOf(newest.row, 1),
      versions: versions.length,
      ...this.#view.calendar.span(line, positions),
    });
  }

  #isWanted({ row }: FoundVersion): boolean {
    const { types, minSize, maxSize, changedFrom, changedUntil } = this.#request;
    const { type, size, changed } = factsOf(row, 1);
    if (types && !types.includes(type)) return false;
    if ((minSize !== undefined || maxSize !== undefined) && type !== 'file') return false;
    if (size < (minSize ?? 0) || size > (maxSize ?? Number.POSITIVE_INFINITY)) return false;
    return changed >= (changedFrom ?? Number.NEGATIVE_INFINITY) && changed <= (changedUntil ?? Number.POSITIVE_INFINITY);
  }

  #folderOf(number: number): Folder {
    const known = this.#folders.get(number);
    if (known) return known;
    const [parent, name] = this.#view.rows.get('SELECT parent, name FROM folders WHERE id = ?', number) as [number, Uint8Array];
    let folder: Folder;
    if (parent === 0) folder = { path: '/', line: this.#view.calendar.byRoot.get(number), isWithin: this.#isSearched(number) };
    else {
      const above = this.#folderOf(parent);
      folder = {
        path: below(above.path, nameText(asBuffer(name))),
        line: above.line,
        isWithin: above.isWithin || this.#isSearched(number),
      };
    }
    this.#folders.set(number, folder);
    return folder;
  }

  #isSearched(folder: number): boolean {
    return this.#within === undefined || this.#within.has(folder);
  }
}
