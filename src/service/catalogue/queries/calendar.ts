/** All moments in memory, so that what a version's bounds mean is known without asking for each. */
import type { CatalogueSnapshot, Coverage } from '../../../contract/catalogue.ts';
import type { Rows } from '../database.ts';

export interface CalendarLine {
  readonly id: number;
  readonly plan: string | null;
  readonly host: string;
  readonly root: number;
  /** Positions, ascending. */
  readonly all: readonly number[];
  /** Of the moments that each repository holds; by its number. */
  readonly held: ReadonlyMap<number, readonly number[]>;
}

/** One that a moment has in a repository. */
interface Copy {
  readonly repository: number;
  /** 64 hex digits, as the key. */
  readonly snapshot: string;
  readonly key: string;
}

/** Destinations by the IDs of their repositories, as they are connected now; what others hold does not count. */
export type Destinations = ReadonlyMap<string, string>;

/** Which snapshots are looked at. */
export interface Which {
  readonly plan?: string | undefined;
  /** A repository's number. */
  readonly repository?: number | undefined;
  /** Of the snapshots: milliseconds since 1970, both included. */
  readonly from?: number | undefined;
  readonly until?: number | undefined;
}

export class Calendar {
  readonly lines = new Map<number, CalendarLine>();
  readonly byRoot = new Map<number, CalendarLine>();
  readonly lineAt = new Map<number, CalendarLine>();
  readonly #copies = new Map<number, Copy[]>();
  readonly #destinations = new Map<number, string>();

  /** Snapshots of repositories that are no destination's are left out. */
  constructor(rows: Rows, destinations: Destinations) {
    for (const [id, repository] of rows.all('SELECT id, repository FROM repositories')) {
      const destination = destinations.get(repository as string);
      if (destination !== undefined) this.#destinations.set(id as number, destination);
    }
    const lines = new Map<number, Omit<CalendarLine, 'all' | 'held'> & { all: number[]; held: Map<number, number[]> }>();
    for (const [id, plan, host, root] of rows.all('SELECT id, plan, host, root FROM lines') as [number, string | null, string, number][])
      lines.set(id, { id, plan, host, root, all: [], held: new Map() });
    const copies = rows.all(
      `SELECT m.position, m.line, c.repository, c.snapshot, c.key FROM moments m JOIN copies c ON c.moment = m.position
         ORDER BY m.position, c.repository, c.snapshot`,
    );
    for (const [position, number, repository, snapshot, key] of copies as [number, number, number, Uint8Array, Uint8Array][]) {
      if (!this.#destinations.has(repository)) continue;
      const line = lines.get(number)!;
      if (line.all.at(-1) !== position) line.all.push(position);
      const held = line.held.get(repository);
      if (!held) line.held.set(repository, [position]);
      else if (held.at(-1) !== position) held.push(position);
      const known = this.#copies.get(position);
      const copy = { repository, snapshot: hex(snapshot), key: hex(key) };
      if (known) known.push(copy);
      else this.#copies.set(position, [copy]);
      this.lineAt.set(position, line);
    }
    for (const line of lines.values()) {
      if (line.all.length === 0) continue;
      this.lines.set(line.id, line);
      this.byRoot.set(line.root, line);
    }
  }

  /** The number of a destination's repository; −1 when nothing is known of it. */
  repositoryOf(destination: string): number {
    for (const [number, each] of this.#destinations) if (each === destination) return number;
    return -1;
  }

  destinationOf(repository: number): string {
    return this.#destinations.get(repository)!;
  }

  /** Lines with moments that are looked at. */
  linesFor({ plan }: Which): CalendarLine[] {
    return [...this.lines.values()].filter((line) => plan === undefined || line.plan === plan);
  }

  /** The moments of a line between two bounds, which do not belong to them, and of those the ones that are looked at. */
  between({ all, held }: CalendarLine, lo: number, hi: number | null, { repository, from, until }: Which): readonly number[] {
    const positions = repository === undefined ? all : (held.get(repository) ?? []);
    const begin = Math.max(firstAbove(positions, lo), from === undefined ? 0 : firstAbove(positions, from - 1));
    const end = Math.min(
      hi === null ? positions.length : firstAbove(positions, hi - 1),
      until === undefined ? positions.length : firstAbove(positions, until),
    );
    return positions.slice(begin, Math.max(begin, end));
  }

  copiesOf(position: number): readonly Copy[] {
    return this.#copies.get(position) ?? [];
  }

  /** The name of a moment for clients. */
  keyOf(position: number): string {
    return this.copiesOf(position)[0].key;
  }

  moment(position: number): { snapshot: string; at: number } {
    return { snapshot: this.keyOf(position), at: position };
  }

  /** The moment that a key or an ID means; the ID goes first. */
  find(snapshot: string, rows: Rows): number | undefined {
    const id = Buffer.from(snapshot, 'hex');
    for (const column of ['snapshot', 'key']) {
      const found = rows.all(`SELECT moment FROM copies WHERE ${column} = ? AND moment IS NOT NULL ORDER BY moment DESC`, id);
      for (const [moment] of found) if (this.lineAt.has(moment as number)) return moment as number;
    }
    return undefined;
  }

  /** What each destination holds of some moments of a line; ascending positions. */
  coverage({ held }: CalendarLine, positions: readonly number[]): Coverage[] {
    const wanted = new Set(positions);
    return [...held].flatMap(([repository, there]) => {
      const some = there.filter((position) => wanted.has(position));
      if (some.length === 0) return [];
      return [{ destination: this.destinationOf(repository), snapshots: some.length, newest: this.moment(some.at(-1)!) }];
    });
  }

  /** Of at least one moment, ascending. */
  span(line: CalendarLine, positions: readonly number[]): Span {
    const last = positions.at(-1)!;
    return {
      plan: line.plan,
      host: line.host,
      first: this.moment(positions[0]),
      last: this.moment(last),
      snapshots: positions.length,
      destinations: this.coverage(line, positions),
      isCurrent: last === line.all.at(-1),
    };
  }

  snapshotView(rows: Rows, position: number): CatalogueSnapshot {
    const line = this.lineAt.get(position)!;
    const [time, paths, problems] = rows.get('SELECT time, paths, problems FROM moments WHERE position = ?', position)!;
    const total = rows.get(
      'SELECT files, folders, bytes FROM trees WHERE folder = ? AND lo < ? AND (hi IS NULL OR hi > ?)',
      line.root,
      position,
      position,
    ) as [number, number, number] | undefined;
    const [files, folders, bytes] = total ?? [0, 0, 0];
    return {
      snapshot: this.keyOf(position),
      at: position,
      time: time as string,
      plan: line.plan,
      host: line.host,
      paths: JSON.parse(paths as string) as string[],
      holders: this.copiesOf(position).map(({ repository, snapshot }) => ({ destination: this.destinationOf(repository), snapshot })),
      total: { files, folders, bytes },
      problems: problems as number,
    };
  }
}

interface Span {
  readonly plan: string | null;
  readonly host: string;
  readonly first: { snapshot: string; at: number };
  readonly last: { snapshot: string; at: number };
  readonly snapshots: number;
  readonly destinations: Coverage[];
  readonly isCurrent: boolean;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');

/** Where the first number above `bound` stands in an ascending list. */
function firstAbove(positions: readonly number[], bound: number): number {
  let [low, high] = [0, positions.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (positions[middle] > bound) high = middle;
    else low = middle + 1;
  }
  return low;
}
