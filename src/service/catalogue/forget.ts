/** Takes out what a repository does not hold any more. A moment goes when no repository has it. */
import type { Rows } from './database.ts';
import { placeOf } from './lines.ts';
import { forgetNames } from './names.ts';
import { removeSpans } from './spans.ts';

/** A snapshot of a repository; within a transaction of the caller's. */
export function forgetCopy(rows: Rows, repository: number, snapshot: Uint8Array): void {
  const copy = rows.get('SELECT moment FROM copies WHERE repository = ? AND snapshot = ?', repository, snapshot);
  if (!copy) return;
  rows.run('DELETE FROM copies WHERE repository = ? AND snapshot = ?', repository, snapshot);
  const moment = copy[0] as number | null;
  if (moment === null || rows.get('SELECT 1 FROM copies WHERE moment = ? LIMIT 1', moment)) return;
  removeMoment(rows, moment);
}

/** Whether or not something holds it; who does is to be asked again. */
export function removeMoment(rows: Rows, moment: number): void {
  const line = Number(rows.get('SELECT line FROM moments WHERE position = ?', moment)![0]);
  rows.run('DELETE FROM copies WHERE moment = ?', moment);
  rows.run('DELETE FROM moments WHERE position = ?', moment);
  const place = placeOf(rows, line, moment);
  if (place.before === undefined && place.after === undefined) removeLine(rows, line);
  else forgetNames(rows, removeSpans(rows, place));
}

const foldersOfLine = `WITH RECURSIVE below (id) AS (SELECT ? UNION ALL SELECT f.id FROM folders f JOIN below b ON f.parent = b.id)`;

/** A line without moments, with all that is known of its folders. */
function removeLine(rows: Rows, line: number): void {
  const root = Number(rows.get('SELECT root FROM lines WHERE id = ?', line)![0]);
  const folders = rows.all(`${foldersOfLine} SELECT id FROM below`, root).map(([id]) => Number(id));
  for (const folder of folders) {
    const names = rows.all('SELECT DISTINCT name FROM versions WHERE folder = ?', folder);
    rows.run('DELETE FROM versions WHERE folder = ?', folder);
    rows.run('DELETE FROM trees WHERE folder = ?', folder);
    forgetNames(
      rows,
      names.map(([name]) => ({ folder, name: name as Uint8Array })),
    );
    rows.run('DELETE FROM folders WHERE id = ?', folder);
  }
  rows.run('DELETE FROM lines WHERE id = ?', line);
}
