/** An entry of a snapshot as a line for people, and as an object for programs. */
import { displayPath } from '../platform/byte-paths.ts';
import type { Entry } from '../engine/entry.ts';
import type { NodeType } from '../repository/tree/node.ts';
import { formatTime, timeText } from './dates.ts';
import { pathFields } from './output.ts';
import { pad } from './text-width.ts';

const letters: Readonly<Record<NodeType, string>> = {
  file: '-',
  dir: 'd',
  symlink: 'l',
  dev: 'b',
  chardev: 'c',
  fifo: 'p',
  socket: 's',
  irregular: '?',
};

const words: Readonly<Record<NodeType, string>> = {
  file: 'file',
  dir: 'folder',
  symlink: 'link',
  dev: 'device',
  chardev: 'device',
  fifo: 'fifo',
  socket: 'socket',
  irregular: 'other',
};

/** What an entry is, in one word. */
export const kindWord = (type: NodeType): string => words[type];

/** The types that a word stands for; none when no type is called so. */
export const typesOfWord = (word: string): NodeType[] => (Object.keys(words) as NodeType[]).filter((type) => words[type] === word);

/** As ls(1) shows it: `drwxr-sr-t`. */
export function modeText(type: NodeType, mode: number): string {
  const three = (shift: number, special: number, letter: string): string => {
    const bits = (mode >> shift) & 7;
    const executes = (bits & 1) !== 0;
    const last = (mode & special) === 0 ? (executes ? 'x' : '-') : executes ? letter : letter.toUpperCase();
    return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${last}`;
  };
  return letters[type] + three(6, 0o4000, 's') + three(3, 0o2000, 's') + three(0, 0o1000, 't');
}

/** The path alone; a folder's ends in a slash. */
export const shortLine = (entry: Entry): string => displayPath(entry.path) + (entry.type === 'dir' ? '/' : '');

/** Mode, owner, group, size in bytes, time of change, path, and where a link points. */
export function longLine(entry: Entry): string {
  const { type, mode, user, uid, group, gid, size, mtimeNs, linkTarget } = entry;
  const target = linkTarget === undefined ? '' : ` -> ${displayPath(linkTarget)}`;
  const owner = pad(user || String(uid), 8);
  return `${modeText(type, mode)} ${owner} ${pad(group || String(gid), 8)} ${String(size).padStart(12)} ${formatTime(mtimeNs)} ${shortLine(entry)}${target}`;
}

/** Sizes in bytes, times in RFC 3339, `mode` the permission bits as `0644`. */
export function entryObject({ path, linkTarget, type, mode, size, uid, gid, user, group, mtimeNs, inode, links }: Entry): object {
  const target = linkTarget === undefined ? undefined : pathFields(linkTarget);
  return {
    ...pathFields(path),
    kind: type,
    mode: (mode & 0o7777).toString(8).padStart(4, '0'),
    size,
    uid,
    gid,
    user,
    group,
    mtime: timeText(mtimeNs),
    inode: inode.toString(),
    links,
    ...(target === undefined
      ? {}
      : { linkTarget: target.path, ...(target.pathBytes === undefined ? {} : { linkTargetBytes: target.pathBytes }) }),
  };
}
