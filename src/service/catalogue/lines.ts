/** Lines, their moments, and where those lie. */
import { tagOfPlan } from '../../engine/own-tags.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import type { Rows } from './database.ts';

/** What the catalogue wants to know of a snapshot. */
export interface SnapshotFacts {
  /** 64 hex digits, as all IDs here. */
  readonly id: string;
  /** The ID that it was given first. */
  readonly key: string;
  readonly time: string;
  readonly tree: string;
  readonly host: string;
  readonly paths: readonly string[];
  /** The ID of a plan. */
  readonly plan: string | null;
}

const planPrefix = tagOfPlan('');

export function factsOfSnapshot({ id, original, time, tree, hostname = '', paths, tags = [] }: Snapshot): SnapshotFacts {
  const plan = tags.find((tag) => tag.startsWith(planPrefix))?.slice(planPrefix.length) ?? null;
  return { id, key: original ?? id, time, tree, host: hostname, paths, plan };
}

/**
 * Which snapshots belong to one line. Files that are cut in other places have other trees though nothing differs; so repositories that
 * cut them differently have lines of their own.
 */
export const lineKey = ({ plan, host, paths }: SnapshotFacts, polynomial: string): string =>
  JSON.stringify([polynomial, host, plan ?? [...paths].sort()]);

export interface Line {
  readonly id: number;
  /** The folder that is the root of its snapshots. */
  readonly root: number;
}

/** The line of a snapshot, which is made when there is none. */
export function lineOf(rows: Rows, facts: SnapshotFacts, polynomial: string): Line {
  const key = lineKey(facts, polynomial);
  const known = rows.get('SELECT id, root FROM lines WHERE key = ?', key);
  if (known) return { id: Number(known[0]), root: Number(known[1]) };
  const root = rows.insert(`INSERT INTO folders (parent, name) VALUES (0, x'')`)!;
  const id = rows.insert('INSERT INTO lines (key, plan, host, root) VALUES (?, ?, ?, ?)', key, facts.plan, facts.host, root)!;
  return { id, root };
}

/** A place among the moments of a line, and those beside it. */
export interface Place {
  readonly at: number;
  readonly before: number | undefined;
  readonly after: number | undefined;
}

/** The next moment of a line below or above a position. */
const neighbours = (rows: Rows, line: number, at: number): Omit<Place, 'at'> => {
  const below = rows.get('SELECT MAX(position) FROM moments WHERE line = ? AND position < ?', line, at)![0];
  const above = rows.get('SELECT MIN(position) FROM moments WHERE line = ? AND position > ?', line, at)![0];
  return { before: below === null ? undefined : Number(below), after: above === null ? undefined : Number(above) };
};

/** Where a new moment of this time belongs. */
export function placeFor(rows: Rows, line: number, time: string): Place {
  let at = Math.max(1, Date.parse(time));
  while (rows.get('SELECT 1 FROM moments WHERE position = ?', at)) at += 1;
  return { at, ...neighbours(rows, line, at) };
}

export const placeOf = (rows: Rows, line: number, at: number): Place => ({ at, ...neighbours(rows, line, at) });

export function repositoryNumber(rows: Rows, repository: string): number {
  const known = rows.get('SELECT id FROM repositories WHERE repository = ?', repository);
  return known ? Number(known[0]) : rows.insert('INSERT INTO repositories (repository) VALUES (?)', repository)!;
}
