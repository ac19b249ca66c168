/** The newest copies of a path: of each line, on each destination. */
import type { Coverage, EntryFactsView } from '../../../contract/catalogue.ts';
import { factsOf, namesOf, placeOfPath, type View } from './view.ts';
import { versionsAt } from './versions.ts';

/** What the snapshots of one line have of a path. */
export interface PathCopies {
  readonly plan: string | null;
  readonly host: string;
  readonly destinations: readonly { readonly coverage: Coverage; readonly facts: EntryFactsView }[];
}

export function listCopies(view: View, { path }: { readonly path: string }): PathCopies[] {
  const { rows, calendar } = view;
  const names = namesOf(path);
  return calendar.linesFor({}).flatMap((line) => {
    const place = placeOfPath(rows, line.root, names);
    const versions = place ? versionsAt(view, line, place.folder, place.name, {}) : [];
    const positions = versions.flatMap((version) => version.positions).sort((a, b) => a - b);
    if (positions.length === 0) return [];
    const destinations = calendar.coverage(line, positions).map((coverage) => {
      const { row } = versions.find((version) => version.positions.includes(coverage.newest.at))!;
      return { coverage, facts: factsOf(row, 1) };
    });
    return [{ plan: line.plan, host: line.host, destinations }];
  });
}
