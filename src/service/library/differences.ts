/** What differs between two snapshots, as a sheet. */
import { fail } from '../../contract/errors.ts';
import type { DiffRow, DiffSummary } from '../../contract/snapshots.ts';
import { type Change } from '../../engine/diff/change.ts';
import { compareSnapshots, type DiffResult } from '../../engine/diff/diff.ts';
import type { Entry } from '../../engine/entry.ts';
import { pathBytes, pathText } from '../../platform/path-text.ts';
import type { Destinations } from '../destinations/destinations.ts';
import type { Common } from '../parts.ts';
import { errorOf } from '../runs/work.ts';
import { type SheetPage, Sheets } from '../sheets.ts';
import type { Library } from './library.ts';

export interface DifferencesOptions extends Pick<Common, 'clock' | 'identity' | 'besides'> {
  readonly library: Library;
  readonly destinations: Pick<Destinations, 'open'>;
}

export interface DiffWish {
  readonly first?: string | undefined;
  readonly second: string;
  readonly destination?: string | undefined;
  readonly path?: string | undefined;
  readonly metadata: boolean;
}

/** Problems that are listed. */
const listed = 1000;

export class Differences {
  readonly sheets: Sheets<DiffRow, DiffSummary | null>;
  readonly #options: DifferencesOptions;

  constructor(options: DifferencesOptions) {
    this.#options = options;
    this.sheets = new Sheets(options);
  }

  /** Throws `snapshot-not-found`, also when nothing was before the second or no destination holds both. */
  async begin({
    first: wanted,
    second,
    destination,
    path,
    metadata,
  }: DiffWish): Promise<{ sheet: string; first: string; second: string; destination: string }> {
    const { library, destinations, clock, identity } = this.#options;
    const before = wanted ?? (await library.previous(second))?.key ?? fail('snapshot-not-found', { snapshot: 'before this one' });
    const [firsts, seconds] = [await library.holders(before, destination), await library.holders(second, destination)];
    const both = seconds.flatMap((holder) => {
      const other = firsts.find((each) => each.destination === holder.destination);
      return other ? [{ destination: holder.destination, first: other.snapshot, second: holder.snapshot }] : [];
    });
    const [pair] = both;
    if (!pair) return fail('snapshot-not-found', { snapshot: `${before.slice(0, 8)} beside ${second.slice(0, 8)}` });
    const within = path === undefined || path === '/' ? undefined : pathBytes(path);
    const sheet = this.sheets.begin(null, async (writer, control) => {
      const repository = await destinations.open(pair.destination, { signal: control.signal });
      try {
        const request = {
          first: { snapshot: pair.first, path: within },
          second: { snapshot: pair.second, path: within },
          metadata,
          blobs: false,
        };
        const options = { control, clock, holder: { ...identity, pid: process.pid } };
        const result = await compareSnapshots(repository, request, options, (changes) => writer.add(changes.map(rowOf)));
        writer.summary = summaryOf(result);
      } finally {
        await repository.storage.close().catch(() => {});
      }
    });
    return { sheet, first: pair.first.id, second: pair.second.id, destination: pair.destination };
  }

  page(sheet: string, after: number, limit: number): Promise<SheetPage<DiffRow, DiffSummary | null>> {
    return this.sheets.page(sheet, after, limit);
  }
}

function rowOf({ kind, path, from, before, after }: Change): DiffRow {
  return { kind, path: pathText(path), from: from ? pathText(from) : null, before: sideOf(before), after: sideOf(after) };
}

const sideOf = (entry: Entry | undefined): DiffRow['before'] =>
  entry ? { type: entry.type, size: entry.size, changed: Number(entry.mtimeNs / 1000n) / 1000 } : null;

function summaryOf({ entries, problems, damagedTrees }: DiffResult): DiffSummary {
  const all = [
    ...problems.map(({ path, error }) => ({ path: pathText(path), error: errorOf(error) })),
    // Nobody knows what they are called.
    ...damagedTrees.map(({ error }) => ({ path: '/', error: errorOf(error) })),
  ];
  return { ...entries, problems: all.slice(0, listed) };
}
