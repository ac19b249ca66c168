/** The page that `stats` shows, and its lists as objects. */
import type { FolderBreakdown, RepositoryStats, SnapshotFigures } from '../engine/stats/stats.ts';
import { displayPath } from '../platform/byte-paths.ts';
import { formatTimeText } from './dates.ts';
import { pathFields } from './output.ts';
import { printable } from './printable.ts';
import { counted, formatBytes, formatCount } from '../platform/sizes.ts';
import { tableLines } from './table.ts';

/** More snapshots than these are not listed one by one, but for the newest. */
const mostListed = 20;

export function statsLines({ snapshots, total, raw, compression, stored, unused }: RepositoryStats, damaged: number): string[] {
  if (snapshots.length === 0) return ['No snapshots.'];
  const times = total.bytes > 0 && raw.bytes > 0 ? `, ${(total.bytes / raw.bytes).toFixed(1)} times as much as is stored for them` : '';
  const { ratio, progress, spaceSaving } = compression;
  const lines = [
    `${counted(snapshots.length, 'snapshot')}`,
    `  hold        ${counted(total.entries, 'file and folder', 'files and folders')}, ${formatBytes(total.bytes)} to restore${times}`,
    `  need        ${counted(raw.blobs, 'blob')} of ${formatBytes(raw.uncompressedBytes)}, stored as ${formatBytes(raw.bytes)}`,
    `  compressed  ${progress.toFixed(1)}% of that, ${ratio.toFixed(2)} to 1; it saves ${spaceSaving.toFixed(1)}%`,
    'Repository',
    `  stored      ${counted(stored.blobs, 'blob')}, ${formatBytes(stored.bytes)} in ${counted(stored.packs, 'pack')}`,
  ];
  // Of a snapshot that cannot be read nobody knows what it needs.
  if (damaged === 0) lines.push(`  unused      ${counted(unused.blobs, 'blob')}, ${formatBytes(unused.bytes)}: a prune can free that`);
  return [...lines, '', ...snapshotTable(snapshots)];
}

function snapshotTable(all: readonly SnapshotFigures[]): string[] {
  const listed = all.slice(-mostListed);
  const rows = listed.map(({ snapshot, size, alone }) => [
    snapshot.id.slice(0, 8),
    formatTimeText(snapshot.time),
    printable(snapshot.hostname ?? ''),
    formatCount(size.files),
    formatBytes(size.bytes),
    formatBytes(alone.bytes),
  ]);
  const columns = [
    { title: 'ID' },
    { title: 'Time' },
    { title: 'Host' },
    { title: 'Files', right: true },
    { title: 'Size', right: true },
    { title: 'Alone', right: true },
  ];
  const rest = all.length - listed.length;
  return [...tableLines(columns, rows), ...(rest > 0 ? [`and ${counted(rest, 'older one')} (--json lists them)`] : [])];
}

export function breakdownLines({ snapshot, path, files, bytes, folders, otherFolders, types, otherTypes }: FolderBreakdown): string[] {
  const share = (of: number): string => (bytes === 0 ? '' : `${((of / bytes) * 100).toFixed(1)}%`);
  const row = (name: string, of: { readonly files: number; readonly bytes: number }): string[] => [
    formatBytes(of.bytes),
    share(of.bytes),
    formatCount(of.files),
    printable(name),
  ];
  const columns = (title: string) => [
    { title: 'Size', right: true },
    { title: '', right: true },
    { title: 'Files', right: true },
    { title },
  ];
  const folderRows = folders.map((folder) => row(`${displayPath(folder.path)}${folder.isItself ? ' (files in it)' : ''}`, folder));
  const typeRows = types.map((type) => row(type.extension === '' ? '(none)' : type.extension, type));
  if (otherFolders.parts > 0) folderRows.push(row(`(${counted(otherFolders.parts, 'other')})`, otherFolders));
  if (otherTypes.parts > 0) typeRows.push(row(`(${counted(otherTypes.parts, 'other')})`, otherTypes));
  return [
    '',
    `${printable(displayPath(path))} in snapshot ${snapshot.id.slice(0, 8)}: ${counted(files, 'file')}, ${formatBytes(bytes)}`,
    ...(folderRows.length > 0 ? ['', ...tableLines(columns('Folder'), folderRows)] : []),
    ...(typeRows.length > 0 ? ['', ...tableLines(columns('Type'), typeRows)] : []),
  ];
}

/** `folder` and `file-type`, the largest first; what is left over has no path and no extension. */
export function breakdownObjects({
  snapshot,
  folders,
  otherFolders,
  types,
  otherTypes,
}: FolderBreakdown): { type: string; fields: object }[] {
  const of = { snapshot: snapshot.id };
  return [
    ...folders.map(({ path, ...folder }) => ({ type: 'folder', fields: { ...of, ...pathFields(path), ...folder } })),
    ...(otherFolders.parts > 0
      ? [{ type: 'folder', fields: { ...of, others: otherFolders.parts, files: otherFolders.files, bytes: otherFolders.bytes } }]
      : []),
    ...types.map((each) => ({ type: 'file-type', fields: { ...of, ...each } })),
    ...(otherTypes.parts > 0
      ? [{ type: 'file-type', fields: { ...of, others: otherTypes.parts, files: otherTypes.files, bytes: otherTypes.bytes } }]
      : []),
  ];
}
