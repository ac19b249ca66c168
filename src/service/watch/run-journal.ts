/** What one run of a plan goes by, and what it says to the plan's journal when it has ended. */
import type { FullScanReason } from '../../contract/scan.ts';
import type { BackupResult } from '../../engine/backup/backup.ts';
import type { ChangedFolders } from '../../engine/backup/changed-folders.ts';
import { displayPath, parentPath } from '../../platform/byte-paths.ts';
import type { TakenAccount } from './journal.ts';
import type { JournalDefects } from './journal-defects.ts';
import type { SourceWatcher } from './source-watcher.ts';

export interface RunJournal {
  /** Where something changed; undefined when that cannot be trusted. */
  readonly changed: ChangedFolders | undefined;
  /** Why not. */
  readonly because: FullScanReason | undefined;
  /** The run has made its snapshot. `tell` is told what its person should know. */
  done(result: BackupResult, tell: (level: 'info' | 'warning', text: string) => void): Promise<void>;
  /**
   * It has made none, or (`isElsewhere`) on another destination; then what changed starts no other run. Nothing happens after {@link done}
   * or an earlier call.
   */
  failed(isElsewhere?: boolean): void;
}

/** Of a plan that is not watched. */
export const noJournal: RunJournal = { changed: undefined, because: 'not-watched', done: async () => {}, failed: () => {} };

export interface JournalOfRunOptions {
  readonly run: number;
  readonly plan: string;
  readonly watcher: SourceWatcher;
  readonly taken: TakenAccount;
  readonly defects: JournalDefects;
  /** Folders in the sources that are stored, but not watched. */
  readonly whole: readonly Buffer[];
  /** What was taken, and is now given back, is to start another run. */
  readonly onGivenBack: () => void;
}

export class JournalOfRun implements RunJournal {
  readonly changed: ChangedFolders | undefined;
  readonly because: FullScanReason | undefined;
  readonly #options: JournalOfRunOptions;
  #isDone = false;

  constructor(options: JournalOfRunOptions) {
    const { taken, whole, watcher } = options;
    const { trusted } = taken;
    this.#options = options;
    if ('because' in trusted) this.because = trusted.because;
    else if (!watcher.noticesLoss) this.because = 'no-losses-told';
    else this.changed = { ...trusted.changed, whole };
  }

  async done(result: BackupResult, tell: (level: 'info' | 'warning', text: string) => void): Promise<void> {
    this.#isDone = true;
    const { taken } = this.#options;
    const { scan, linked, missed } = result.scanned;
    const unread = result.problems.map(({ path }) => parentPath(Buffer.from(path)).toString('latin1'));
    const always = new Set([...linked, ...unread]);
    const scannedAt = scan.isPartial ? taken.scannedAt : undefined;
    taken.end({ snapshot: result.snapshot, indexFiles: result.indexFiles, always, scannedAt });
    if (missed) await this.#judge(missed, always, tell);
  }

  failed(isElsewhere = false): void {
    if (this.#isDone) return;
    this.#isDone = true;
    const { taken, onGivenBack } = this.#options;
    taken.end(undefined);
    if (!taken.isEmpty && !isElsewhere) onGivenBack();
  }

  /** What changed only after the run had begun is known by now, and was not missed. */
  async #judge(
    missed: readonly Buffer[],
    always: ReadonlySet<string>,
    tell: (level: 'info' | 'warning', text: string) => void,
  ): Promise<void> {
    const { watcher, taken, defects, plan, run } = this.#options;
    await watcher.settled();
    const now = watcher.peek();
    const since = taken.since();
    if (now.doubts.length > 0 || since.doubts.size > 0) return;
    const known = new Set([...now.folders.map((folder) => folder.toString('latin1')), ...since.folders, ...always, ...taken.always]);
    const lost = missed.filter((folder) => !known.has(folder.toString('latin1'))).map(displayPath);
    if (lost.length === 0) {
      if (defects.noteFine(plan)) tell('info', 'No change was missed for a week: the next runs look only at what changed.');
      return;
    }
    defects.note(plan, run, lost);
    const named = lost.slice(0, 5).join(', ');
    tell(
      'warning',
      `Changes in ${lost.length === 1 ? 'a folder' : `${lost.length} folders`} had not been noticed before: ${named}${lost.length > 5 ? ', …' : ''}. ` +
        'This snapshot holds them. Until this has not happened for a week, every run of this plan looks at everything.',
    );
  }
}
