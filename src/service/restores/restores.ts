/** Restores as a person asks for them: dry run, run, receipt, undo. */
import { lstatSync, readdirSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fail } from '../../contract/errors.ts';
import type { RestoreRow, restoreSummarySchema, UndoableRestore } from '../../contract/restore.ts';
import { type RestoreReceipt, restoreReceiptSchema, type RestoreRequest, restoreRequestSchema } from '../../contract/restore-request.ts';
import type { Run } from '../../contract/run.ts';
import { planExport, type PlannedZipEntry } from '../../engine/export/export.ts';
import { freeBytes } from '../../engine/restore/plan.ts';
import { planRestore } from '../../engine/restore/restore.ts';
import type { PlannedEntry } from '../../engine/restore/walk-task.ts';
import type { RunOptions } from '../../engine/run.ts';
import { executeForgetUndo } from '../../engine/undo/forget.ts';
import { listUndos } from '../../engine/undo/list.ts';
import { planUndo } from '../../engine/undo/undo.ts';
import { pathText } from '../../platform/path-text.ts';
import { nodeType } from '../../repository/tree/node.ts';
import type { Desk } from '../runs/desk.ts';
import { Sheets, type SheetWriter } from '../sheets.ts';
import type { Common } from '../parts.ts';
import type { z } from 'zod';
import { engineRequest, wantedOf } from './request.ts';
import { problemOf, type RestoreJobOptions, undoFolderOf } from './restore-job.ts';

export interface RestoresOptions extends RestoreJobOptions, Pick<Common, 'besides' | 'identity'> {
  readonly desk: Pick<Desk, 'askTask'>;
}

export type RestoreSummary = z.infer<typeof restoreSummarySchema>;

export interface UndoSummary {
  readonly counts: Record<string, number>;
  readonly kept: number;
  readonly problems: number;
}
export interface UndoRow {
  readonly path: string;
  readonly action: string;
  readonly other: string | null;
}

/** Rows that are handed over together, and problems that are listed. */
const batch = 500;
const listed = 1000;

export class Restores {
  readonly previews: Sheets<RestoreRow, RestoreSummary | null>;
  readonly undoPreviews: Sheets<UndoRow, UndoSummary | null>;
  readonly #options: RestoresOptions;

  constructor(options: RestoresOptions) {
    this.#options = options;
    this.previews = new Sheets(options);
    this.undoPreviews = new Sheets(options);
  }

  /** Begins a dry run. Throws `snapshot-not-found`. */
  async preview(request: RestoreRequest): Promise<{ sheet: string; destination: string }> {
    const { library, destinations } = this.#options;
    const [holder] = await library.holders(request.snapshot, request.destination);
    const { destination, snapshot } = holder!;
    const sheet = this.previews.begin(null, async (writer, control) => {
      const repository = await destinations.open(destination, { signal: control.signal });
      try {
        const options = this.#engine(control);
        writer.summary =
          request.target.kind === 'zip'
            ? await zipRows(
                writer,
                request,
                request.target.path,
                (wanted, take) => planExport(repository, wanted, options, take),
                snapshot.id,
              )
            : await folderRows(writer, (onEntry) => planRestore(repository, engineRequest(snapshot.id, request), options, onEntry));
      } finally {
        await repository.storage.close().catch(() => {});
      }
    });
    return { sheet, destination };
  }

  /** Throws `snapshot-not-found`. */
  async start(request: RestoreRequest): Promise<Run> {
    const { library, desk, state } = this.#options;
    const view = await library.get(request.snapshot);
    const [holder] = await library.holders(request.snapshot, request.destination);
    const { id, name } = state.destination(holder!.destination);
    return desk.askTask({
      kind: 'restore',
      plan: view.plan,
      destination: id,
      planName: view.planName ?? view.hostname,
      destinationName: name,
      cause: 'person',
      request,
    });
  }

  /** Throws `receipt-not-found` for what is no restore. */
  request(run: number): RestoreRequest {
    this.#options.state.runs.get(run);
    return restoreRequestSchema.safeParse(this.#options.state.runDetails.request(run)).data ?? fail('receipt-not-found', { run });
  }

  /** Throws `run-not-found`, `receipt-not-found`. */
  receipt(run: number): RestoreReceipt {
    const { state } = this.#options;
    state.runs.get(run);
    return restoreReceiptSchema.safeParse(state.runDetails.receipt(run)).data ?? fail('receipt-not-found', { run });
  }

  /** Newest first. Throws `undo-unavailable`. */
  undos(): UndoableRestore[] {
    const { state, profile } = this.#options;
    const runs = new Map(
      state.runDetails.receipts(listed).flatMap(({ run, receipt }) => {
        const { undo } = (receipt ?? {}) as { undo?: unknown };
        return typeof undo === 'string' ? [[undo, run] as const] : [];
      }),
    );
    return listUndos(undoFolderOf(profile))
      .map(({ id, head, entries, bytes, state: how }) => {
        const { time: at, target, snapshot } = head;
        return { id, at, target, snapshot, run: runs.get(id) ?? null, entries, bytes, state: how };
      })
      .reverse();
  }

  /** Begins to work out what an undo would do. Throws `undo-not-found`. */
  previewUndo(id: string): string {
    this.#undo(id);
    return this.undoPreviews.begin(null, async (writer, control) => {
      const rows: UndoRow[] = [];
      const { clock, profile } = this.#options;
      const { figures, kept, problems } = await planUndo(undoFolderOf(profile), id, { control, clock }, ({ path, action, other }) => {
        rows.push({ path: pathText(Buffer.from(path)), action, other: other ? pathText(Buffer.from(other)) : null });
        if (rows.length >= batch) writer.add(rows.splice(0));
      });
      writer.add(rows);
      writer.summary = { counts: { ...figures }, kept: kept.length, problems: problems.length };
    });
  }

  /** Throws `undo-not-found`. */
  undo(id: string): Run {
    const { target, run } = this.#undo(id);
    const { desk, state } = this.#options;
    const of = run === null ? undefined : state.runs.get(run);
    return desk.askTask({
      kind: 'undo',
      plan: of?.plan ?? null,
      destination: null,
      planName: of?.planName ?? '',
      destinationName: target,
      cause: 'person',
      request: { id },
    });
  }

  /** Throws `undo-not-found`, `target-busy`. */
  async forgetUndo(id: string): Promise<void> {
    const { besides, clock, profile } = this.#options;
    await besides.run((control) => executeForgetUndo(undoFolderOf(profile), { id }, { control, clock }));
  }

  async target(path: string): Promise<{ exists: boolean; isFolder: boolean; isEmpty: boolean; isWritable: boolean }> {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    const isFolder = stat?.isDirectory() === true;
    return { exists: stat !== undefined, isFolder, isEmpty: isFolder && isEmpty(path), isWritable: await isWritable(path) };
  }

  close(): void {
    this.previews.close();
    this.undoPreviews.close();
  }

  #undo(id: string): UndoableRestore {
    return this.undos().find((each) => each.id === id) ?? fail('undo-not-found', { id });
  }

  #engine(control: RunOptions['control']): RunOptions {
    const { clock, identity } = this.#options;
    return { control, clock, holder: { ...identity, pid: process.pid } };
  }
}

async function folderRows(
  writer: SheetWriter<RestoreRow, RestoreSummary | null>,
  plan: (onEntry: (entry: PlannedEntry) => void) => ReturnType<typeof planRestore>,
): Promise<RestoreSummary> {
  const rows: RestoreRow[] = [];
  const { figures, problems, target } = await plan(({ path, other, type, action, size, mtimeNs, existingSize, existingMtimeNs }) => {
    // Nothing is deleted, for that is not offered.
    if (action === 'delete') return;
    rows.push({
      path: pathText(Buffer.from(path)),
      type,
      action,
      other: other ? pathText(Buffer.from(other)) : null,
      size,
      changed: milliseconds(mtimeNs),
      existingSize: existingSize ?? null,
      existingChanged: existingMtimeNs === undefined ? null : milliseconds(existingMtimeNs),
    });
    if (rows.length >= batch) writer.add(rows.splice(0));
  });
  writer.add(rows);
  const { create, replace, beside, same, keep, folders, bytes } = figures;
  return {
    create,
    replace,
    beside,
    same,
    keep,
    folders,
    bytes,
    freeBytes: freeBytes([Buffer.from(target)]) ?? null,
    problems: problems.slice(0, listed).map((problem) => {
      const { path, code, message } = problemOf(problem);
      return { path: path || '/', kind: code, detail: message };
    }),
    problemCount: problems.length,
  };
}

async function zipRows(
  writer: SheetWriter<RestoreRow, RestoreSummary | null>,
  { items }: RestoreRequest,
  path: string,
  plan: (wanted: ReturnType<typeof wantedOf>, take: (entries: readonly PlannedZipEntry[]) => void) => ReturnType<typeof planExport>,
  snapshot: string,
): Promise<RestoreSummary> {
  const { figures, problems } = await plan(wantedOf(snapshot, items), (entries) =>
    writer.add(
      entries.map(({ name, mode, size }) => ({
        path: pathText(name) || '/',
        type: nodeType(mode),
        action: 'create',
        other: null,
        size,
        changed: null,
        existingSize: null,
        existingChanged: null,
      })),
    ),
  );
  return {
    create: figures.files + figures.links,
    replace: 0,
    beside: 0,
    same: 0,
    keep: 0,
    folders: figures.folders,
    bytes: figures.bytes,
    freeBytes: freeBytes([Buffer.from(dirname(path))]) ?? null,
    problems: [],
    problemCount: problems,
  };
}

const milliseconds = (ns: bigint): number => Number(ns / 1000n) / 1000;

function isEmpty(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0;
  } catch {
    return false;
  }
}

/** Whether a folder can be written to, or the one in which it would be made. */
async function isWritable(path: string): Promise<boolean> {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      await access(folder, constants.W_OK);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(folder) === folder) return false;
    }
  }
}
