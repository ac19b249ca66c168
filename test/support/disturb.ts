/** Changes to a folder that nobody can foresee. */
import { appendFileSync, mkdirSync, readdirSync, renameSync, rmSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Does one thing at random in a tree of files and folders, and notes in `dirty` the folders in which something changed, as a watcher would.
 * `step` is in the names of what is new.
 */
export function disturb(source: string, random: () => number, step: string, dirty: Set<string> = new Set()): void {
  const folders = (): string[] => [
    source,
    ...readdirSync(source, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name)),
  ];
  const files = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? join(folder, entry.name) : []));
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const here = pick(folders());
  const file = pick(files(here));
  const what = random();
  /** Of a folder that is new here the watcher marks all. */
  const markAll = (folder: string): void => {
    dirty.add(folder);
    for (const each of folders()) if (each.startsWith(`${folder}/`)) dirty.add(each);
  };
  if (what < 0.3 || file === undefined) {
    writeFileSync(join(here, `n${step}`), step.repeat(Math.ceil(random() * 50)));
    dirty.add(here);
  } else if (what < 0.45) {
    appendFileSync(file, 'x');
    dirty.add(here);
  } else if (what < 0.55) {
    unlinkSync(file);
    dirty.add(here);
  } else if (what < 0.65) {
    const there = pick(folders());
    renameSync(file, join(there, `r${step}`));
    dirty.add(here).add(there);
  } else if (what < 0.75) {
    const made = join(here, `d${step}`, 'deep', 'er');
    mkdirSync(made, { recursive: true });
    writeFileSync(join(made, 'f'), step);
    dirty.add(here);
    markAll(join(here, `d${step}`));
  } else if (what < 0.9 && here !== source) {
    const to = pick(folders().filter((each) => !`${each}/`.startsWith(`${here}/`)));
    const target = join(to, `m${step}`);
    renameSync(here, target);
    dirty.add(dirname(here)).add(to);
    markAll(target);
  } else if (what < 0.95 && here !== source) {
    rmSync(here, { recursive: true });
    dirty.add(dirname(here));
  } else {
    utimesSync(here, 1_000_000, 1_000_000 + random() * 1000);
    dirty.add(here);
  }
}
