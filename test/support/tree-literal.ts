/** File trees as literals, and scratch folders that vanish after the test. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';

/** A folder: names to contents (text or bytes), folders, links and files with a mode. */
export type TreeLiteral = { [name: string]: string | Uint8Array | SymlinkLiteral | FileLiteral | TreeLiteral };

type SymlinkLiteral = { readonly [kind]: 'symlink'; readonly target: string | Buffer };
type FileLiteral = { readonly [kind]: 'file'; readonly content: string | Uint8Array; readonly mode: number };

// A symbol as key keeps these apart from folders, whatever names a folder holds.
const kind = Symbol('kind');

/** A symbolic link in a tree literal. The target may be bytes that are not UTF-8. */
export function symlink(target: string | Buffer): SymlinkLiteral {
  return { [kind]: 'symlink', target };
}

/** A file with permission bits, for example `file('secret', { mode: 0o600 })`, in a tree literal. */
export function file(content: string | Uint8Array, options: { mode: number }): FileLiteral {
  return { [kind]: 'file', content, mode: options.mode };
}

/**
 * Writes the literal into `dir`, creating it; existing files of the same names are overwritten, others stay.
 *
 *     tree(dir, { docs: { 'a.txt': 'hello', 'b.bin': Buffer.of(0, 1) }, link: symlink('docs/a.txt') });
 *
 * @returns `dir`
 */
export function tree(dir: string, literal: TreeLiteral): string {
  mkdirSync(dir, { recursive: true });
  for (const [name, entry] of Object.entries(literal)) {
    const path = join(dir, name);
    if (typeof entry === 'string' || entry instanceof Uint8Array) writeFileSync(path, entry);
    else if (isSymlink(entry)) symlinkSync(entry.target, path);
    else if (isFile(entry)) {
      writeFileSync(path, entry.content);
      // Not through writeFileSync's mode, which the process's umask would trim.
      chmodSync(path, entry.mode);
    } else tree(path, entry);
  }
  return dir;
}

function isSymlink(entry: object): entry is SymlinkLiteral {
  return (entry as Partial<SymlinkLiteral>)[kind] === 'symlink';
}

function isFile(entry: object): entry is FileLiteral {
  return (entry as Partial<FileLiteral>)[kind] === 'file';
}

/** A new empty folder, removed when the running test has finished. Call it inside a test. */
export function scratch(prefix = 'test'): string {
  const dir = newFolder(prefix);
  onTestFinished(() => removeTree(dir));
  return dir;
}

/** A new empty folder for all tests of a file or `describe` block, removed after them. Call it outside tests. */
export function sharedScratch(prefix = 'test'): string {
  const dir = newFolder(prefix);
  afterAll(() => removeTree(dir));
  return dir;
}

/** Acts after all tests of the file that runs (the processes that run tests are ended by a signal); without tests, when the process exits. */
export function whenTestsEnd(act: () => void): void {
  if (process.env.VITEST) afterAll(act);
  else process.once('exit', act);
}

function newFolder(prefix: string): string {
  return mkdtempSync(join(tmpdir(), `holdfast-${prefix}-`));
}

/**
 * Removes a folder whatever it holds: names that are not UTF-8, folders without permissions. Never crosses into another
 * file system that a test has left mounted. Absent is fine.
 */
export function removeTree(dir: string): void {
  // Only root passes folders of mode 0000: for others find opens each before it goes in.
  if (process.getuid?.() !== 0 && existsSync(dir)) {
    execFileSync('find', [dir, '-xdev', '-type', 'd', '!', '-perm', '-700', '-exec', 'chmod', 'u+rwx', '{}', ';']);
  }
  execFileSync('rm', ['-rf', '--one-file-system', '--', dir]);
}
