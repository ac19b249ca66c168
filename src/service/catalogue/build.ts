/**
 * Puts a snapshot into the catalogue: goes through its folders side by side with what the catalogue knows of the moment beside it, and
 * enters only what differs. A folder with the same tree as there is not looked into, so that the repository is asked for changed folders
 * alone, and for none of the other snapshot.
 */
import { folderType, ListingReader } from '../../engine/listing/format.ts';
import { longestPath } from '../../engine/trees/folder-problem.ts';
import type { Row, Rows } from './database.ts';
import { type Line, lineOf, type Place, placeFor, repositoryNumber, type SnapshotFacts } from './lines.ts';
import { asBuffer, NameWriter } from './names.ts';
import { SpanWriter, type TreeFacts } from './spans.ts';

/** Where the catalogue gets listings from. */
export interface TreeSource {
  /** The listing of each tree, in the same order; undefined: it cannot be read. Throws what ends the whole. */
  read(trees: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>;
}

export interface BuildOptions {
  readonly source: TreeSource;
  /** Told of the entries that were looked at so far. */
  readonly onProgress?: ((entries: number, folders: number) => void) | undefined;
}

/** Trees that are asked for together; two such requests are on their way. */
const treesAtOnce = 64;
const requestsAhead = 2;
/** Entries of a folder that are read from the database together. */
const rowsAtOnce = 2000;
const treeBytes = 16;

/** Where a snapshot is noted, and whether what it holds has to be looked at. */
export function findMoment(rows: Rows, facts: SnapshotFacts, polynomial: string): number | undefined {
  const { id: line } = lineOf(rows, facts, polynomial);
  const known = rows.get(
    'SELECT position FROM moments WHERE line = ? AND time = ? AND tree = ?',
    line,
    facts.time,
    Buffer.from(facts.tree, 'hex'),
  );
  return known && Number(known[0]);
}

/** Notes that a repository holds a snapshot; without a moment: that it is not catalogued. */
export function noteCopy(rows: Rows, repository: string, { id, key }: SnapshotFacts, moment: number | null): void {
  const number = repositoryNumber(rows, repository);
  rows.run(
    'INSERT OR REPLACE INTO copies (repository, snapshot, key, moment) VALUES (?, ?, ?, ?)',
    number,
    Buffer.from(id, 'hex'),
    Buffer.from(key, 'hex'),
    moment,
  );
}

/** Enters a moment; within a transaction of the caller's. Throws what the source throws. */
export async function buildMoment(rows: Rows, facts: SnapshotFacts, polynomial: string, options: BuildOptions): Promise<number> {
  const line = lineOf(rows, facts, polynomial);
  const place = placeFor(rows, line.id, facts.time);
  const problems = await new Builder(rows, line, place, options).build(Buffer.from(facts.tree, 'hex'));
  rows.run(
    'INSERT INTO moments (position, line, time, tree, paths, problems) VALUES (?, ?, ?, ?, ?, ?)',
    place.at,
    line.id,
    facts.time,
    Buffer.from(facts.tree, 'hex'),
    JSON.stringify(facts.paths),
    problems,
  );
  return place.at;
}

/** A folder that differs. They stand in the order in which they were met, so that each comes behind the one that it lies in. */
interface Changed {
  readonly folder: number;
  /** Of the one that it lies in; -1: none. */
  readonly parent: number;
  /** All 32 bytes, until it was read. */
  tree: Buffer;
  readonly pathLength: number;
  /** Whether the base has the folder. */
  readonly isKnown: boolean;
  isLost: boolean;
  files: number;
  folders: number;
  bytes: number;
  problems: number;
}

class Builder {
  readonly #rows: Rows;
  readonly #line: Line;
  readonly #options: BuildOptions;
  readonly #spans: SpanWriter;
  readonly #names: NameWriter;
  readonly #changed: Changed[] = [];
  /** Numbers of those that are still to be read. */
  readonly #pending: number[] = [];
  #entries = 0;

  constructor(rows: Rows, line: Line, place: Place, options: BuildOptions) {
    this.#rows = rows;
    this.#line = line;
    this.#options = options;
    this.#spans = new SpanWriter(rows, place);
    this.#names = new NameWriter(rows);
  }

  /** Returns how many folders could not be read. */
  async build(tree: Buffer): Promise<number> {
    const same = this.#enter(this.#line.root, -1, tree, 1, this.#spans.base !== undefined);
    if (same) return same.problems;
    const asked: { readonly numbers: readonly number[]; readonly answer: Promise<readonly (Uint8Array | undefined)[]> }[] = [];
    const ask = (): void => {
      while (asked.length < requestsAhead && this.#pending.length > 0) {
        const numbers = this.#pending.splice(-treesAtOnce);
        const answer = this.#options.source.read(numbers.map((number) => this.#changed[number].tree));
        // Whoever awaits it hears of a failure.
        answer.catch(() => {});
        asked.push({ numbers, answer });
      }
    };
    for (ask(); asked.length > 0; ask()) {
      const { numbers, answer } = asked.shift()!;
      const listings = await answer;
      for (const [i, number] of numbers.entries()) this.#look(number, listings[i]);
      this.#options.onProgress?.(this.#entries, this.#changed.length);
    }
    this.#spans.flush();
    this.#names.flush();
    return this.#settle();
  }

  /** Sees to a folder; gives what is known of it when nothing in it differs. */
  #enter(folder: number, parent: number, tree: Buffer, pathLength: number, isKnown: boolean): TreeFacts | undefined {
    const known = isKnown ? this.#treeAtBase(folder) : undefined;
    // What could not be read then may be readable now.
    if (known?.tree && known.problems === 0 && tree.compare(known.tree, 0, treeBytes, 0, treeBytes) === 0) return known;
    const isLost = pathLength > longestPath;
    const number = this.#changed.length;
    this.#changed.push({
      folder,
      parent,
      tree: Buffer.from(tree),
      pathLength,
      isKnown,
      isLost,
      files: 0,
      folders: 0,
      bytes: 0,
      problems: 0,
    });
    if (isLost) this.#look(number, undefined);
    else this.#pending.push(number);
    return undefined;
  }

  #treeAtBase(folder: number): TreeFacts | undefined {
    const base = this.#spans.base!;
    const row = this.#rows.get(
      'SELECT tree, files, folders, bytes, problems FROM trees WHERE folder = ? AND lo < ? AND (hi IS NULL OR hi > ?)',
      folder,
      base,
      base,
    );
    if (!row) return undefined;
    const [tree, files, folders, bytes, problems] = row as [Uint8Array | null, number, number, number, number];
    return { tree, files, folders, bytes, problems };
  }

  /** Compares a folder with the base. */
  #look(number: number, listing: Uint8Array | undefined): void {
    const changed = this.#changed[number];
    const { folder, isKnown } = changed;
    if (listing === undefined) {
      changed.isLost = true;
      changed.problems += 1;
    }
    const entry = new ListingReader(listing ?? new Uint8Array(0));
    const known = new KnownEntries(this.#rows, folder, isKnown ? this.#spans.base : undefined);
    let [hasEntry, hasKnown] = [entry.next(), known.next()];
    while (hasEntry || hasKnown) {
      const order = !hasKnown ? -1 : !hasEntry ? 1 : entry.name.compare(known.name);
      if (order > 0) this.#remove(folder, known.name, known.type);
      else {
        const isHere = order === 0;
        if (isHere && !known.isAs(entry)) this.#remove(folder, known.name, entry.type === folderType ? -1 : known.type);
        if (!isHere || !known.isAs(entry)) this.#spans.open(folder, entry.name, entry);
        if (!isHere) this.#names.note(folder, entry.name);
        this.#count(number, entry, isHere && known.type === folderType);
      }
      if (order <= 0) hasEntry = entry.next();
      if (order >= 0) hasKnown = known.next();
    }
  }

  #count(number: number, { name, type, size, tree }: ListingReader, wasFolder: boolean): void {
    const changed = this.#changed[number];
    this.#entries += 1;
    if (type !== folderType) {
      changed.files += 1;
      changed.bytes += size;
      return;
    }
    changed.folders += 1;
    const folder = this.#folderNumber(changed.folder, name);
    const same = this.#enter(folder, number, tree!, changed.pathLength + name.length + 1, wasFolder);
    if (same) this.#add(changed, same);
  }

  /** The entry is not so any more; of a folder, nor is what lies in it. `type`: −1 for what stays a folder. */
  #remove(folder: number, name: Buffer, type: number): void {
    this.#spans.close(folder, name);
    if (type === folderType) this.#removeBelow(this.#folderNumber(folder, name));
  }

  #removeBelow(top: number): void {
    const base = this.#spans.base!;
    const stack = [top];
    for (let folder = stack.pop(); folder !== undefined; folder = stack.pop()) {
      const folders = this.#rows.all(
        `SELECT f.id FROM folders f JOIN versions v ON v.folder = f.parent AND v.name = f.name
           WHERE f.parent = ? AND v.type = ? AND v.lo < ? AND (v.hi IS NULL OR v.hi > ?)`,
        folder,
        folderType,
        base,
        base,
      );
      stack.push(...folders.map(([id]) => Number(id)));
      this.#spans.close(folder);
      this.#spans.closeTree(folder);
    }
  }

  #folderNumber(parent: number, name: Buffer): number {
    const known = this.#rows.get('SELECT id FROM folders WHERE parent = ? AND name = ?', parent, name);
    return known ? Number(known[0]) : this.#rows.insert('INSERT INTO folders (parent, name) VALUES (?, ?)', parent, name)!;
  }

  #add(changed: Changed, { files, folders, bytes, problems }: Pick<TreeFacts, 'files' | 'folders' | 'bytes' | 'problems'>): void {
    changed.files += files;
    changed.folders += folders;
    changed.bytes += bytes;
    changed.problems += problems;
  }

  /** Enters how much is in each folder, from the bottom up. */
  #settle(): number {
    for (let number = this.#changed.length - 1; number >= 0; number--) {
      const changed = this.#changed[number];
      const { folder, parent, tree, isLost, isKnown } = changed;
      if (isKnown) this.#spans.closeTree(folder);
      this.#spans.openTree(folder, { ...changed, tree: isLost ? null : tree.subarray(0, treeBytes) });
      if (parent >= 0) this.#add(this.#changed[parent], changed);
    }
    return this.#changed[0].problems;
  }
}

/** What the catalogue knows of a folder at the base, by name. */
class KnownEntries {
  readonly #rows: Rows;
  readonly #folder: number;
  readonly #base: number | undefined;
  #page: Row[] = [];
  #at = 0;
  #isLast: boolean;
  #row: Row = [];
  name: Buffer = Buffer.alloc(0);
  type = 0;

  constructor(rows: Rows, folder: number, base: number | undefined) {
    this.#rows = rows;
    this.#folder = folder;
    this.#base = base;
    this.#isLast = base === undefined;
  }

  next(): boolean {
    if (this.#at === this.#page.length) {
      if (this.#isLast) return false;
      const base = this.#base!;
      this.#page = this.#rows.all(
        `SELECT name, type, mode, size, seconds, nanos, mark FROM versions
           WHERE folder = ? AND name > ? AND lo < ? AND (hi IS NULL OR hi > ?) ORDER BY name LIMIT ?`,
        this.#folder,
        this.name,
        base,
        base,
        rowsAtOnce,
      );
      this.#at = 0;
      this.#isLast = this.#page.length < rowsAtOnce;
      if (this.#page.length === 0) return false;
    }
    this.#row = this.#page[this.#at++];
    this.name = asBuffer(this.#row[0]);
    this.type = this.#row[1] as number;
    return true;
  }

  isAs({ type, mode, size, seconds, nanos, mark }: ListingReader): boolean {
    const row = this.#row;
    return row[1] === type && row[6] === mark && row[3] === size && row[4] === seconds && row[5] === nanos && row[2] === mode;
  }
}
