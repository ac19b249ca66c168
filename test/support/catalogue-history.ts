/** The same history of snapshots each time, for tests of the catalogue with more than one process. */
import type { SnapshotFacts } from '../../src/service/catalogue/lines.ts';
import { file, folder, type ModelEntry, ModelRepository, sha } from './catalogue-model.ts';

export const historyRepository = 'repository';
export const historyPolynomial = 'abc';

export interface HistorySnapshot {
  readonly facts: SnapshotFacts;
  readonly tree: ReadonlyMap<string, ModelEntry>;
}

/** So many snapshots of some hundred folders, of which each changes some; oldest first. */
export function makeHistory(snapshots: number, folders = 150): { source: ModelRepository; history: HistorySnapshot[] } {
  const source = new ModelRepository();
  const history = Array.from({ length: snapshots }, (_, s) => {
    const entries = Array.from({ length: folders }, (__, f): [string, ModelEntry] => {
      const changed = s - (s % (1 + (f % 7)));
      const files = Array.from({ length: 6 }, (___, n): [string, ModelEntry] => [
        `file ${n}.txt`,
        file(`${f} ${n} ${n === 0 ? changed : 0}`, changed),
      ]);
      return [`folder ${f}`, folder(new Map(f % 11 === s % 11 ? files.slice(1) : files))];
    });
    const tree = new Map([['home', folder(new Map(entries))]]);
    const id = sha(`history ${s}`).toString('hex');
    const time = new Date(Date.UTC(2026, 0, 1 + s)).toISOString();
    const facts: SnapshotFacts = {
      id,
      key: id,
      time,
      tree: source.store(tree).toString('hex'),
      host: 'pc',
      paths: ['/home'],
      plan: 'plan',
    };
    return { facts, tree };
  });
  return { source, history };
}
