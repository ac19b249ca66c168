/** What stands in a folder, as facts that tests compare before and after: byte-exact names, what each entry is and when it was touched. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { sha256 } from '../../src/repository/ids.ts';
import { joinPath } from '../../src/platform/byte-paths.ts';

export interface EntryFacts {
  readonly kind: 'file' | 'folder' | 'symlink' | 'fifo' | 'device' | 'socket';
  /** SHA-256 of a file's bytes, a link's target, a device's number; empty for the rest. */
  readonly content: string;
  readonly inode: bigint;
  readonly mode: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly links: number;
}

/** All entries below `folder` (not itself), by their path relative to it, as "latin1" text so that every byte survives. */
export function factsOf(folder: string | Buffer): Map<string, EntryFacts> {
  const facts = new Map<string, EntryFacts>();
  const walk = (path: Buffer, prefix: string): void => {
    for (const name of (readdirSync(path, { encoding: 'buffer' }) as Buffer[]).sort(Buffer.compare)) {
      const place = joinPath(path, name);
      const shown = prefix + name.toString('latin1');
      const entry = factsOfEntry(place);
      facts.set(shown, entry);
      if (entry.kind === 'folder') walk(place, `${shown}/`);
    }
  };
  walk(Buffer.from(folder), '');
  return facts;
}

export function factsOfEntry(path: string | Buffer): EntryFacts {
  const stat = lstatSync(path, { bigint: true });
  const kind = stat.isFile()
    ? 'file'
    : stat.isDirectory()
      ? 'folder'
      : stat.isSymbolicLink()
        ? 'symlink'
        : stat.isFIFO()
          ? 'fifo'
          : stat.isSocket()
            ? 'socket'
            : 'device';
  let content = '';
  if (kind === 'file') content = sha256(readFileSync(path)).toString('hex');
  else if (kind === 'symlink') content = readlinkSync(path, { encoding: 'buffer' }).toString('latin1');
  else if (kind === 'device') content = String(stat.rdev);
  const { ino, mtimeNs, ctimeNs } = stat;
  return { kind, content, inode: ino, mode: Number(stat.mode) & 0o7777, mtimeNs, ctimeNs, links: Number(stat.nlink) };
}

/** What was created, removed or changed in content or kind; folders that stayed are not listed. */
export function changesBetween(
  before: ReadonlyMap<string, EntryFacts>,
  after: ReadonlyMap<string, EntryFacts>,
): Map<string, 'created' | 'removed' | 'changed'> {
  const changes = new Map<string, 'created' | 'removed' | 'changed'>();
  for (const [path, old] of before) {
    const now = after.get(path);
    if (!now) changes.set(path, 'removed');
    else if (now.kind !== old.kind || now.content !== old.content) changes.set(path, 'changed');
  }
  for (const path of after.keys()) if (!before.has(path)) changes.set(path, 'created');
  return changes;
}
