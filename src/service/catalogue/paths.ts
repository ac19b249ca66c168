/** Paths of this computer and paths within snapshots. */

/** A path of this computer as snapshots have it: `C:\Users` lies at `/C/Users`. */
export function inSnapshots(path: string): string {
  const drive = /^([A-Za-z]):[\\/]/.exec(path);
  return drive ? `/${drive[1]}/${path.slice(3).replaceAll('\\', '/')}` : path;
}

/** The other way round. */
export const onThisComputer = (path: string): string =>
  process.platform === 'win32' ? path.replace(/^\/([A-Za-z])(?=\/|$)/, '$1:') : path;
