/** What a folder holds, in the words in which `expectWhole` says what a snapshot holds. */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** By absolute path (as Latin-1, so that every byte survives) with `root` taken off: content hash of files, target of links, `folder`. */
export function contentOf(folder: string, root = ''): Map<string, string> {
  const content = new Map<string, string>();
  const walk = (path: Buffer): void => {
    for (const name of readdirSync(path, { encoding: 'buffer' }) as Buffer[]) {
      const place = Buffer.concat([path, Buffer.from('/'), name]);
      const stat = lstatSync(place);
      const key = place.toString('latin1').slice(root.length);
      if (stat.isDirectory()) {
        content.set(key, 'folder');
        walk(place);
      } else if (stat.isSymbolicLink())
        content.set(key, `link to ${(readlinkSync(place, { encoding: 'buffer' }) as Buffer).toString('latin1')}`);
      else if (stat.isFile()) content.set(key, createHash('sha256').update(readFileSync(place)).digest('hex'));
      else content.set(key, 'special');
    }
  };
  walk(Buffer.from(join(folder)));
  return content;
}

/** The part of `content` that is at or below `folder`. */
export const within = (content: ReadonlyMap<string, string>, folder: string): Map<string, string> =>
  new Map([...content].filter(([path]) => path.startsWith(`${folder}/`)));
