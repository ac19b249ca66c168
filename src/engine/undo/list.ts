/** Which restores can be undone. */
import { join } from 'node:path';
import { asidePath, isAside } from './aside.ts';
import { isAtWork, readAreas, readEnd, readHeads, type UndoHead, type UndoSummary } from './journal.ts';
import { bytesOf } from './records.ts';
import { RecordStore } from './record-store.ts';

export interface ListedUndo extends UndoSummary {
  readonly head: UndoHead;
  /**
   * `whole`: the restore came to an end. `cut-off`: it did not, and can be undone too. `running`: it, or its undo, is at work.
   * `away`: what it kept is not there, perhaps with its drive. `damaged`: its journal cannot be read.
   */
  readonly state: 'whole' | 'cut-off' | 'running' | 'away' | 'damaged';
}

/** All of them, the oldest first. Throws `undo-unavailable` when the folder cannot be read. */
export const listUndos = (folder: string): ListedUndo[] => readHeads(folder).map((head) => listed(folder, head));

function listed(folder: string, head: UndoHead): ListedUndo {
  const journal = join(folder, head.id);
  const { id } = head;
  if (isAtWork(journal)) return { id, head, entries: 0, bytes: 0, state: 'running' };
  try {
    const end = readEnd(journal);
    const isThere = readAreas(journal).every(({ path }) => isAside(asidePath(bytesOf(path), id)));
    return { id, head, ...(end ?? counted(journal)), state: !isThere ? 'away' : end ? 'whole' : 'cut-off' };
  } catch {
    return { id, head, entries: 0, bytes: 0, state: 'damaged' };
  }
}

/** Of a restore that never said it. */
function counted(journal: string): { entries: number; bytes: number } {
  const store = new RecordStore(journal);
  try {
    let [entries, bytes] = [0, 0];
    for (let seq = 0; seq < store.length; seq++) {
      const record = store.at(seq);
      if (!record || record.do === 'facts') continue;
      entries += 1;
      bytes += record.had && (record.had.mode & 0o170000) === 0o100000 ? record.had.size : 0;
    }
    return { entries, bytes };
  } finally {
    store.close();
  }
}
