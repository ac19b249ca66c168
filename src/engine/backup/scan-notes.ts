/** What a scan notes for the journal as it comes to entries and folders; see findings.ts for what that is. */
import type { BigIntStats } from 'node:fs';
import type { Node } from '../../repository/tree/node.ts';
import type { WorkerContext } from '../workers/context.ts';
import { Findings } from './findings.ts';
import { hasMissedChange } from './missed.ts';
import { noteUnreadable } from './parent-damage.ts';
import type { Frame } from './scan-frame.ts';
import type { ScanTask } from './scan-task.ts';

export class ScanNotes {
  readonly findings = new Findings();
  readonly #context: WorkerContext;
  /** Not everything is looked at, so that what the parent holds where it is has to be counted. */
  readonly #isPartial: boolean;
  /** The folder of the task, and what of it is counted. */
  #bottom: Frame | undefined;
  #counts: ScanTask['counts'] = 'nothing';

  constructor(context: WorkerContext, isPartial: boolean) {
    this.#context = context;
    this.#isPartial = isPartial;
  }

  begin(bottom: Frame, counts: ScanTask['counts']): void {
    this.#bottom = bottom;
    this.#counts = counts;
    if (this.#isPartial && counts === 'folder') this.#countFolder(bottom);
  }

  /** A folder below the task's is entered. */
  entered(frame: Frame): void {
    if (this.#isPartial && frame.look !== 'passed') this.#countFolder(frame);
  }

  /** What the parent had of an entry that the scan has come to; `isFolder`: it is a folder of the backup now. */
  came(frame: Frame, before: Node | undefined, isFolder: boolean): void {
    if (!before || !this.#isPartial) return;
    // Others are counted with their folder.
    const isCountedAlone = frame.look === 'passed' || (frame === this.#bottom && this.#counts === 'names');
    if (isCountedAlone) this.findings.countEntry(before);
    if (!isFolder) this.findings.lose(before);
  }

  /** The parent's node of this name is no folder any more. */
  lost(before: Node | undefined): void {
    if (before && this.#isPartial) this.findings.lose(before);
  }

  /** A file has other names. */
  linked(frame: Frame, stat: BigIntStats, before: Node | undefined): void {
    if (before?.inode !== stat.ino) this.findings.hasNewLinks = true;
    if (frame.hasLinks) return;
    frame.hasLinks = true;
    this.findings.linked.push(new Uint8Array(frame.path));
  }

  /** A folder is complete, and not as the parent has it. Notes when nobody has told that it changed. */
  compare({ path, visit, parent, doneNames, doneNodes }: Frame): void {
    if (!parent || visit?.isChanged || visit?.isWhole) return;
    try {
      if (hasMissedChange(parent.text, doneNames, doneNodes, visit)) this.findings.missed.push(new Uint8Array(path));
    } catch (error) {
      noteUnreadable(error, parent.tree, this.#context);
    }
  }

  /** What the parent holds of the folder, for the figures. */
  #countFolder({ parent, names }: Frame): void {
    try {
      if (parent) this.findings.countFolder(parent, names);
    } catch (error) {
      noteUnreadable(error, parent!.tree, this.#context);
    }
  }
}
