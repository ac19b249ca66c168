/** Folders that Holdfast itself writes to: they may lie in what a person protects, whose home folder mostly is one of the sources. */
import { isAbsolute, relative, sep } from 'node:path';
import type { Plan } from '../../contract/plan.ts';

/** Patterns, as those of excludes, that leave these folders out of the plan's sources. A source itself is never left out. */
export function patternsLeavingOut(folders: readonly string[], { sources }: Pick<Plan, 'sources'>): string[] {
  return folders.filter((folder) => isAbsolute(folder) && sources.some(({ path }) => isBelow(folder, path))).map(literally);
}

function isBelow(folder: string, source: string): boolean {
  const way = relative(source, folder);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

const literally = (path: string): string => path.replaceAll(sep, '/').replaceAll(/[\\*?[]/g, '\\$&');
