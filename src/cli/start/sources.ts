/** What is backed up when nobody says it. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { documentsFolder, type HostSurroundings, systemSurroundings } from '../../platform/host.ts';

/**
 * The person's Documents folder, or where there is none the visible folders of the home folder: empty when there is none of
 * those either. Throws `home-unknown`.
 */
export function usualSources(host: HostSurroundings = systemSurroundings()): string[] {
  const documents = documentsFolder(host);
  if (isFolder(documents)) return [documents];
  return visibleFolders(host.home);
}

function visibleFolders(home: string): string[] {
  try {
    return readdirSync(home)
      .filter((name) => !name.startsWith('.'))
      .map((name) => join(home, name))
      .filter(isFolder)
      .sort();
  } catch {
    return [];
  }
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
