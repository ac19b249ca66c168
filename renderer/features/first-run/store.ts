/** What a person has chosen so far: going back loses nothing. */
import { create } from 'zustand';
import type { FolderSize, SuggestedFolder } from '../../../src/contract/files.ts';
import type { Schedule } from '../../../src/contract/schedule.ts';
import type { Answers, ServerKind } from '../connect/kinds.ts';

export type Step = 'what' | 'where' | 'protect' | 'running';

/** A folder that may be protected. */
export interface Candidate {
  readonly path: string;
  /** What people call it; undefined for one that the person added. */
  readonly kind: SuggestedFolder['kind'] | undefined;
  readonly isReadable: boolean;
}

/** A drive's mount point, `computer`, or `server`. */
export type WhereChoice =
  | { readonly kind: 'drive'; readonly mountPoint: string }
  | { readonly kind: 'computer' }
  | { readonly kind: 'server' };

export type WhenChoice = 'advised' | 'daily' | 'by-hand';

interface FirstRun {
  readonly step: Step;
  readonly candidates: readonly Candidate[] | undefined;
  readonly chosen: ReadonlySet<string>;
  readonly sizes: ReadonlyMap<string, FolderSize>;
  readonly where: WhereChoice | undefined;
  /** A folder of this computer. */
  readonly folder: string;
  readonly serverKind: ServerKind;
  readonly answers: Answers;
  /** The place as it was tried, what opens it, and what it is called. */
  readonly place: { readonly place: string; readonly credentials: Record<string, string>; readonly name: string } | undefined;
  readonly password: string;
  readonly when: WhenChoice;
  readonly advised: Schedule | undefined;
  /** What was made at the end. */
  readonly made: { readonly destination: string; readonly plan: string; readonly run: number } | undefined;
}

const beginning: FirstRun = {
  step: 'what',
  candidates: undefined,
  chosen: new Set(),
  sizes: new Map(),
  where: undefined,
  folder: '',
  serverKind: 'sftp',
  answers: {},
  place: undefined,
  password: '',
  when: 'advised',
  advised: undefined,
  made: undefined,
};

export const useFirstRun = create<FirstRun>(() => beginning);

export const change = (some: Partial<FirstRun>): void => useFirstRun.setState(some);

/** Forgets everything, the password above all. */
export const forget = (): void => useFirstRun.setState(beginning);

/** What the chosen folders hold, as far as it is counted. */
export function totalOf({ chosen, sizes }: Pick<FirstRun, 'chosen' | 'sizes'>): {
  readonly bytes: number;
  readonly files: number;
  readonly isDone: boolean;
} {
  const counted = [...chosen].map((path) => sizes.get(path));
  return {
    bytes: counted.reduce((sum, size) => sum + (size?.bytes ?? 0), 0),
    files: counted.reduce((sum, size) => sum + (size?.files ?? 0), 0),
    isDone: counted.every((size) => size?.isDone === true),
  };
}
