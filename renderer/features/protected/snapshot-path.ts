/** Paths of the computer as snapshots have them. */

/** `/home/me/a` stays, `C:\Users\me` becomes `/C/Users/me`; undefined for what is no whole path. A slash at the end says nothing. */
export function snapshotPath(typed: string): string | undefined {
  const drive = /^([A-Za-z]):[\\/](.*)$/s.exec(typed);
  const path = drive?.[1] === undefined ? typed : `/${drive[1].toUpperCase()}/${(drive[2] ?? '').replaceAll('\\', '/')}`;
  if (!path.startsWith('/')) return undefined;
  return path.replace(/\/+$/, '') || '/';
}
