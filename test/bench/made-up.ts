/**
 * A million files in 20,000 folders, one of which has 100,000, and 50 snapshots, of which each changes 1 % of the files: in turn all of some
 * folders, and single ones everywhere. Always the same.
 */

const groups = 200;
export const foldersInEach = 100;
export const folders = groups * foldersInEach;
/** One folder has many files. */
const manyFiles = 100_000;
const filesInOthers = 45;
export const snapshots = 50;
const changedShare = 100;

export const filesIn = (folder: number): number => (folder === 0 ? manyFiles : filesInOthers);
const words = ['holiday', 'report', 'invoice', 'draft', 'IMG', '年度报告', '会议记录', 'scan', 'notes', 'backup'];

/** A number that looks like chance and is always the same. */
export function mix(a: number, b: number): number {
  let n = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35);
  n = Math.imul(n ^ (n >>> 15), 0x2c1b3c6d);
  n = Math.imul(n ^ (n >>> 12), 0x297a2d39);
  return (n ^ (n >>> 15)) >>> 0;
}

const isChanged = (folder: number, file: number, s: number): boolean =>
  (s % 2 === 1 ? mix(folder, s) : mix(folder * 131_072 + file, s)) % changedShare === 0;

/** The snapshot that changed a file last, up to `at`. */
export function changedIn(folder: number, file: number, at: number): number {
  for (let s = at; s > 0; s--) if (isChanged(folder, file, s)) return s;
  return 0;
}

export const nameOf = (folder: number, file: number): string =>
  file % 10 === 0
    ? `${words[file % words.length]}.txt`
    : `${words[mix(folder, file) % words.length]} ${mix(file, folder) % 1_000_000}-${file}.jpg`;

/** By snapshot, for each folder the snapshot that changed something in it last. */
export function lastChanges(): Uint8Array[] {
  const all: Uint8Array[] = [];
  for (let s = 0; s < snapshots; s++) {
    const last = new Uint8Array(folders);
    for (let folder = 0; folder < folders; folder++) {
      let newest = s === 0 ? 0 : all[s - 1][folder];
      for (let file = 0; s > 0 && file < filesIn(folder) && newest < s; file++) if (isChanged(folder, file, s)) newest = s;
      last[folder] = newest;
    }
    all.push(last);
  }
  return all;
}

/** What is in a folder (−1 the root, −2 − n a group), in the order of names. */
export function namesIn(folder: number): { readonly name: Buffer; readonly number: number }[] {
  const names = new Map<string, number>();
  if (folder === -1) for (let group = 0; group < groups; group++) names.set(`group ${group}`, -2 - group);
  else if (folder < -1) for (let i = 0; i < foldersInEach; i++) names.set(`folder ${i}`, (-2 - folder) * foldersInEach + i);
  else for (let file = 0; file < filesIn(folder); file++) names.set(nameOf(folder, file), file);
  return [...names].map(([name, number]) => ({ name: Buffer.from(name), number })).sort((a, b) => a.name.compare(b.name));
}

const day = 86_400_000;
export const timeOf = (s: number): string => new Date(1_700_000_000_000 + s * day).toISOString();
