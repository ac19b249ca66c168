/** Whether the catalogue says of a snapshot what the repository says: all folders are read, and nothing is taken for granted. */
import { folderType, ListingReader } from '../../engine/listing/format.ts';
import { idBytes } from '../../repository/ids.ts';
import type { BuildOptions } from './build.ts';
import type { Rows } from './database.ts';
import { asBuffer } from './names.ts';

interface Totals {
  files: number;
  folders: number;
  bytes: number;
}

interface Open extends Totals {
  readonly folder: number;
  readonly parent: number;
  readonly tree: Buffer;
}

const treesAtOnce = 64;
const holds = 'lo < ?2 AND (hi IS NULL OR hi > ?2)';

/** Throws what the source throws. */
export async function compareMoment(rows: Rows, at: number, tree: Buffer, { source, onProgress }: BuildOptions): Promise<boolean> {
  const [root] = rows.get('SELECT l.root FROM moments m JOIN lines l ON l.id = m.line WHERE m.position = ?', at) as [number];
  const open: Open[] = [{ folder: root, parent: -1, tree, files: 0, folders: 0, bytes: 0 }];
  for (let read = 0; read < open.length; ) {
    const some = open.slice(read, read + treesAtOnce);
    const listings = await source.read(some.map((each) => each.tree));
    for (const [i, listing] of listings.entries()) {
      // What cannot be read now cannot be compared.
      if (listing === undefined || !isAs(rows, at, read + i, listing, open)) return false;
    }
    read += some.length;
    onProgress?.(read, read);
  }
  for (let number = open.length - 1; number >= 0; number--) {
    const { folder, parent, files, folders, bytes } = open[number];
    const known = rows.get(`SELECT tree, files, folders, bytes, problems FROM trees WHERE folder = ?1 AND ${holds}`, folder, at);
    if (!known || known[1] !== files || known[2] !== folders || known[3] !== bytes || known[4] !== 0) return false;
    if (!(known[0] instanceof Uint8Array) || asBuffer(known[0]).compare(open[number].tree, 0, known[0].length) !== 0) return false;
    const above = open[parent];
    if (!above) continue;
    above.files += files;
    above.folders += folders;
    above.bytes += bytes;
  }
  return true;
}

/** Compares one folder, and adds those in it. */
function isAs(rows: Rows, at: number, number: number, listing: Uint8Array, open: Open[]): boolean {
  const itself = open[number];
  const known = rows.all(
    `SELECT name, type, mode, size, seconds, nanos, mark FROM versions WHERE folder = ?1 AND ${holds} ORDER BY name`,
    itself.folder,
    at,
  );
  const entry = new ListingReader(listing);
  for (const row of known) {
    if (!entry.next() || !entry.name.equals(asBuffer(row[0]))) return false;
    const { type, mode, size, seconds, nanos, mark, tree, name } = entry;
    if ([type, mode, size, seconds, nanos, mark].some((value, i) => row[i + 1] !== value)) return false;
    if (type !== folderType) {
      itself.files += 1;
      itself.bytes += size;
      continue;
    }
    itself.folders += 1;
    const folder = rows.get('SELECT id FROM folders WHERE parent = ? AND name = ?', itself.folder, name)?.[0] as number | undefined;
    if (folder === undefined) return false;
    open.push({ folder, parent: number, tree: Buffer.from(tree!.subarray(0, idBytes)), files: 0, folders: 0, bytes: 0 });
  }
  return !entry.next();
}
