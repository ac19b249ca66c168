/** The versions of a path, and the snapshots that hold it. */
import type { CatalogueSnapshot, PathVersion } from '../../../contract/catalogue.ts';
import type { Row } from '../database.ts';
import type { CalendarLine, Which } from './calendar.ts';
import { cursorOf, factColumns, factsOf, namesOf, placeOfCursor, placeOfPath, type View } from './view.ts';

interface PathRequest {
  readonly path: string;
  readonly plan?: string | undefined;
  readonly destination?: string | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/** A version of a path in one line, with the moments that are looked at. */
export interface FoundVersion {
  /** The first of its rows. */
  readonly id: string;
  readonly line: CalendarLine;
  /** Name or bound, then facts. */
  readonly row: Row;
  /** Ascending. */
  readonly positions: number[];
}

export const whichOf = (
  { calendar }: View,
  {
    plan,
    destination,
    from,
    until,
  }: { plan?: string | undefined; destination?: string | undefined; from?: number | undefined; until?: number | undefined },
): Which => ({ plan, repository: destination === undefined ? undefined : calendar.repositoryOf(destination), from, until });

/** What an entry was like in a line, in no order. Rows of the same facts are one version, also when others lay between. */
export function versionsAt({ rows, calendar }: View, line: CalendarLine, folder: number, name: Uint8Array, which: Which): FoundVersion[] {
  const found = new Map<string, FoundVersion>();
  for (const row of rows.all(`SELECT hi, ${factColumns}, lo FROM versions WHERE folder = ? AND name = ? ORDER BY lo`, folder, name)) {
    const positions = calendar.between(line, row[7] as number, row[0] as number | null, which);
    if (positions.length === 0) continue;
    const key = row.slice(1, 7).join();
    const known = found.get(key);
    if (known) known.positions.push(...positions);
    else found.set(key, { id: `${line.id}.${String(row[7])}`, line, row, positions: [...positions] });
  }
  return [...found.values()];
}

function versionsOfPath(view: View, { path, ...request }: PathRequest): FoundVersion[] {
  const which = whichOf(view, request);
  const names = namesOf(path);
  return view.calendar.linesFor(which).flatMap((line) => {
    const place = placeOfPath(view.rows, line.root, names);
    return place ? versionsAt(view, line, place.folder, place.name, which) : [];
  });
}

/** Newest first. */
export function listVersions(view: View, request: PathRequest): { versions: PathVersion[]; next: string | null } {
  const { limit, cursor } = request;
  const after = placeOfCursor(cursor, 2) as [number, string] | undefined;
  const last = ({ positions }: FoundVersion): number => positions.at(-1)!;
  const found = versionsOfPath(view, request)
    .sort((a, b) => last(b) - last(a) || (a.id < b.id ? -1 : 1))
    .filter((each) => !after || last(each) < after[0] || (last(each) === after[0] && each.id > after[1]));
  const page = found.slice(0, limit);
  const end = page.at(-1);
  return {
    versions: page.map(({ id, line, row, positions }) => ({ version: id, ...factsOf(row, 1), ...view.calendar.span(line, positions) })),
    next: found.length > limit ? cursorOf([last(end!), end!.id]) : null,
  };
}

/** Newest first. */
export function listHolding(
  view: View,
  request: PathRequest & { readonly version?: string | undefined },
): { snapshots: CatalogueSnapshot[]; next: string | null } {
  const { limit, cursor, version } = request;
  const [before] = (placeOfCursor(cursor, 1) as [number] | undefined) ?? [Number.POSITIVE_INFINITY];
  const positions = versionsOfPath(view, request)
    .filter(({ id }) => version === undefined || id === version)
    .flatMap((found) => found.positions)
    .filter((position) => position < before);
  return snapshotPage(view, positions, limit);
}

export function listSnapshots(
  view: View,
  request: Omit<PathRequest, 'path'> & { readonly from?: number | undefined; readonly until?: number | undefined },
): { snapshots: CatalogueSnapshot[]; next: string | null } {
  const [before] = (placeOfCursor(request.cursor, 1) as [number] | undefined) ?? [Number.POSITIVE_INFINITY];
  const which = whichOf(view, request);
  const positions = view.calendar
    .linesFor(which)
    .flatMap((line) => view.calendar.between(line, 0, null, which))
    .filter((position) => position < before);
  return snapshotPage(view, positions, request.limit);
}

function snapshotPage(
  { rows, calendar }: View,
  positions: number[],
  limit: number,
): { snapshots: CatalogueSnapshot[]; next: string | null } {
  const sorted = positions.sort((a, b) => b - a);
  const page = sorted.slice(0, limit);
  return {
    snapshots: page.map((position) => calendar.snapshotView(rows, position)),
    next: sorted.length > limit ? cursorOf([page.at(-1)!]) : null,
  };
}
