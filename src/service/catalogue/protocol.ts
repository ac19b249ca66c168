/** What passes between the service and the thread of the catalogue. */
import type { ErrorJSON } from '../../contract/errors.ts';
import type { SnapshotFacts } from './lines.ts';
import { listChanges } from './queries/changes.ts';
import { listCopies } from './queries/copies.ts';
import { findEntry, listFolder, listUsage } from './queries/folder.ts';
import { search } from './queries/search.ts';
import { listHolding, listSnapshots, listVersions } from './queries/versions.ts';
import type { View } from './queries/view.ts';
import type { RepositoryState } from './store.ts';

/** All questions. */
export const questions = {
  folder: listFolder,
  entry: (view: View, { snapshot, path }: { readonly snapshot: string; readonly path: string }) => findEntry(view, snapshot, path),
  usage: listUsage,
  versions: listVersions,
  holding: listHolding,
  snapshots: listSnapshots,
  search,
  changes: listChanges,
  copies: listCopies,
};
export type Questions = typeof questions;
export type QuestionName = keyof Questions;
export type Question<N extends QuestionName> = Parameters<Questions[N]>[1];
export type Answer<N extends QuestionName> = ReturnType<Questions[N]>;

/** What the thread does, each with its arguments and what it gives. `add` and `check` ask for trees meanwhile. */
export interface Tasks {
  /** Destinations by repositories. */
  ask: { args: { name: QuestionName; request: unknown; destinations: readonly (readonly [string, string])[] }; result: unknown };
  /** Questions about these destinations will come. */
  warm: { args: { destinations: readonly (readonly [string, string])[] }; result: undefined };
  states: { args: undefined; result: { repositories: RepositoryState[]; bytes: number } };
  reconcile: { args: { repository: string; snapshots: readonly string[] }; result: string[] };
  add: { args: { repository: string; polynomial: string; facts: SnapshotFacts }; result: undefined };
  leaveOut: { args: { repository: string; facts: SnapshotFacts }; result: undefined };
  complete: { args: { repository: string; at: number }; result: undefined };
  drop: { args: { repository: string }; result: undefined };
  check: { args: { polynomial: string; facts: SnapshotFacts }; result: boolean };
  index: { args: undefined; result: undefined };
  close: { args: undefined; result: undefined };
}
export type TaskName = keyof Tasks;

export type ToCatalogue =
  | { readonly kind: 'task'; readonly id: number; readonly task: TaskName; readonly args: unknown }
  /** Undefined: such a tree cannot be read. */
  | { readonly kind: 'trees'; readonly read: number; readonly listings: readonly (Uint8Array | undefined)[] }
  | { readonly kind: 'no-trees'; readonly read: number; readonly error: ErrorJSON };

export type FromCatalogue =
  /** `generation` grows when all that was known is lost. */
  | { readonly kind: 'done'; readonly id: number; readonly result: unknown; readonly generation: number }
  | { readonly kind: 'failed'; readonly id: number; readonly error: ErrorJSON; readonly generation: number }
  /** `id`: of the task that needs them. */
  | { readonly kind: 'read'; readonly id: number; readonly read: number; readonly trees: readonly Uint8Array[] }
  | { readonly kind: 'progress'; readonly id: number; readonly entries: number };

export interface CatalogueStart {
  readonly file: string;
}
