/** Paths as they are drawn. See src/contract/paths.ts: bytes that are no UTF-8 cross as lone surrogates, which no font can show. */

/** The text with a replacement character for each byte that is no text, and marks for control characters. */
export const shown = (path: string): string => path.toWellFormed().replaceAll(/\p{Cc}/gu, (char) => controlPicture(char));

/** Unicode has pictures for the first 32 (␊ for a line feed) and for DEL. */
function controlPicture(char: string): string {
  const code = char.charCodeAt(0);
  return code < 32 ? String.fromCharCode(0x2400 + code) : code === 127 ? '\u2421' : '\ufffd';
}

/** The name at the end of a path; the path itself for the root. */
export const lastName = (path: string): string => path.slice(path.lastIndexOf('/') + 1) || path;

/** The folder that holds it. */
export const above = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';

/** `name` in `folder`. */
export const within = (folder: string, name: string): string => (folder === '/' ? `/${name}` : `${folder}/${name}`);

/** The folders on the way to a path, each with its own path, without the root. */
export function crumbs(path: string): { readonly name: string; readonly path: string }[] {
  const names = path.split('/').filter((name) => name !== '');
  return names.map((name, i) => ({ name, path: `/${names.slice(0, i + 1).join('/')}` }));
}

/** The deepest folder that holds all of the paths, or is the only one of them; the root for paths that are not of this kind. */
export function commonFolder(paths: readonly string[]): string {
  const [first, ...rest] = paths.map((path) => path.split('/'));
  if (!first || paths.some((path) => !path.startsWith('/'))) return '/';
  let shared = rest.length === 0 ? first.length : first.length - 1;
  for (const parts of rest) {
    let i = 0;
    while (i < Math.min(shared, parts.length - 1) && parts[i] === first[i]) i++;
    shared = i;
  }
  return first.slice(0, shared).join('/') || '/';
}

/** The folder that a file is in, by the rules of the system that the path is of: only Windows parts names with `\\`. */
export function folderOf(path: string): string {
  const end = /^([A-Za-z]:|\\\\)/.test(path) ? Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) : path.lastIndexOf('/');
  return end <= 0 ? path : path.slice(0, end);
}

/** A path in two parts, of which the first may be shortened: what is last says most. */
export function headAndTail(path: string): readonly [head: string, tail: string] {
  const folder = folderOf(path);
  return folder === path ? ['', path] : [folder, path.slice(folder.length)];
}
