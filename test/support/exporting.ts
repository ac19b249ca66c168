/** Exports in tests: into memory or a file, with everything that the export tells. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { executeExport, type ExportRequest, type ExportResult, planExport, type PlannedZipEntry } from '../../src/engine/export/export.ts';
import type { ExportProblem } from '../../src/engine/export/problem.ts';
import type { RunOptions } from '../../src/engine/run.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { runOptions } from './engine.ts';
import { hastyClock } from './hasty-clock.ts';
import { scratch } from './tree-literal.ts';
import { MemorySink } from './zip.ts';

export type ExportSettings = Partial<ExportRequest> & Partial<RunOptions>;

interface Told {
  readonly problems: string[];
  /** Path to name. */
  readonly renamed: Map<string, string>;
}

function listening(): { told: Told; options: { onProblem(problem: ExportProblem): void; onRenamed(path: Buffer, name: Buffer): void } } {
  const told: Told = { problems: [], renamed: new Map() };
  return {
    told,
    options: {
      onProblem: ({ kind, path }) => void told.problems.push(`${kind}: ${Buffer.from(path).toString('latin1')}`),
      onRenamed: (path, name) => void told.renamed.set(path.toString('latin1'), name.toString()),
    },
  };
}

function split(settings: ExportSettings): { request: ExportRequest; run: Partial<RunOptions> } {
  const { snapshot = 'latest', path, items, include, exclude, stored, ...run } = settings;
  return { request: { snapshot, path, items, include, exclude, stored }, run };
}

/** Nobody waits for a lock. */
const quickly = (run: Partial<RunOptions>): RunOptions => runOptions({ clock: hastyClock, ...run });

export interface Exported extends Told {
  readonly result: ExportResult;
  readonly zip: Buffer;
  /** The ZIP as a file. */
  readonly file: string;
}

export async function exported(repository: Repository, settings: ExportSettings = {}): Promise<Exported> {
  const { request, run } = split(settings);
  const { told, options } = listening();
  const sink = new MemorySink();
  const result = await executeExport(repository, request, { ...quickly(run), ...options }, sink);
  const file = join(scratch('export'), 'exported.zip');
  writeFileSync(file, sink.bytes);
  return { ...told, result, zip: readFileSync(file), file };
}

export async function plannedExport(
  repository: Repository,
  settings: ExportSettings = {},
): Promise<Told & { result: Awaited<ReturnType<typeof planExport>>; entries: PlannedZipEntry[] }> {
  const { request, run } = split(settings);
  const { told, options } = listening();
  const entries: PlannedZipEntry[] = [];
  const result = await planExport(repository, request, { ...quickly(run), ...options }, (list) => void entries.push(...list));
  return { ...told, result, entries };
}
