/** A repository that says it holds very many files, made through the repository's own layers without one of them. */
import { sha256 } from '../../src/repository/ids.ts';
import { type Forge, folderNode } from './forge.ts';

export interface ManyEntries {
  readonly folders: number;
  /** In each folder. */
  readonly files: number;
}

const owner = '"uid":1000,"gid":1000,"user":"somebody","group":"people"';
const time = '2026-01-02T03:04:05.123456789+01:00';

/** The text of a tree of `files` files, each of a content of its own; `salt` makes them others. */
function folderText(salt: string, files: number, contents: string[]): string {
  const nodes: string[] = [];
  for (let i = 0; i < files; i++) {
    const name = `file ${String(i).padStart(6, '0')}.${['txt', 'jpg', 'tar.gz', 'c'][i % 4]!}`;
    const id = sha256(Buffer.from(`${salt} ${i}`)).toString('hex');
    contents.push(id);
    const times = `"mtime":"${time}","atime":"${time}","ctime":"${time}"`;
    nodes.push(
      `{"name":"${name}","type":"file","mode":420,${times},${owner},"inode":${i + 1},"device_id":64,"size":${1000 + i},"links":1,"content":["${id}"]}`,
    );
  }
  return `{"nodes":[${nodes.join(',')}]}\n`;
}

/**
 * Two snapshots. In the second one a fifth of the folders is gone, a fifth is new, a fifth moved as a whole, and of a fifth the files
 * are now in folders of another name, beside one that is new; the last fifth stayed.
 */
export async function manyEntries(forge: Forge, { folders, files }: ManyEntries): Promise<{ first: string; second: string }> {
  const contents: string[] = [];
  const name = (prefix: string, i: number): string => `${prefix} ${String(i).padStart(5, '0')}`;
  const store = (text: string): string => forge.tree(text, { compressed: true });
  const before: object[] = [];
  const after: object[] = [];
  for (let i = 0; i < folders; i++) {
    const text = folderText(`folder ${i}`, files, contents);
    const id = store(text);
    before.push(folderNode(name('folder', i), id));
    const kind = i % 5;
    if (kind === 0) after.push(folderNode(name('folder', i), id));
    else if (kind === 1) after.push(folderNode(name('moved', i), id));
    else if (kind === 2) {
      const extra = JSON.stringify({ name: 'zzz', type: 'file', mtime: time, atime: time, ctime: time, uid: 0, gid: 0, content: [] });
      after.push(folderNode(name('renamed', i), store(text.replace(/\]\}\n$/, `,${extra}]}\n`))));
    } else if (kind === 3) after.push(folderNode(name('new', i), store(folderText(`new folder ${i}`, files, contents))));
    if (i % 50 === 49) await forge.store();
  }
  // No one reads the data, so that it need not be there; the index says that it is.
  for (let at = 0; at < contents.length; at += 20_000) {
    const blobs = contents.slice(at, at + 20_000);
    forge.packs.push({
      id: sha256(Buffer.from(`pack ${at}`)).toString('hex'),
      blobs: blobs.map((id, i) => ({ id, type: 'data', offset: i * 500, length: 500, uncompressed_length: 1000 })),
    });
    // Index files of a usual size.
    await forge.index();
  }
  const byName = (a: object, b: object): number => ((a as { name: string }).name < (b as { name: string }).name ? -1 : 1);
  const first = await forge.snapshot(forge.tree([folderNode('home', forge.tree(before.sort(byName)))]));
  const second = await forge.snapshot(forge.tree([folderNode('home', forge.tree(after.sort(byName)))]), { time: '2026-01-03T00:00:00Z' });
  return { first, second };
}
