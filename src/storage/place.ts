/**
 * Turns what a person says about where a repository is into its storage.
 *
 * Words: a *place* is what `--repo` says, written as restic writes it: a folder, or a kind, a colon and an address, as in
 * `rest:https://server/path/`. It may hold a password; a *location* is the same without.
 */
import { fail } from '../contract/errors.ts';
import type { OpenContext, OpenKind } from './kind.ts';
import { LocalStorage } from './local.ts';
import type { Storage } from './storage.ts';

/** Each kind's library is loaded when a place of this kind is opened. */
const kinds: Readonly<Record<string, () => Promise<OpenKind>>> = {
  azure: async () => (await import('./azure/open.ts')).openAzure,
  gs: async () => (await import('./gcs/open.ts')).openGcs,
  rclone: async () => (await import('./rclone/open.ts')).openRclone,
  rest: async () => (await import('./rest/open.ts')).openRest,
  s3: async () => (await import('./s3/open.ts')).openS3,
  webdav: async () => (await import('./webdav/open.ts')).openWebdav,
  sftp: async () => (await import('./sftp/open.ts')).openSftp,
};

/** Kinds that restic knows and Holdfast does not: a folder of such a name can be given as `./swift:…`. */
const unknownKinds = new Set(['b2', 'swift']);

/** The kind that a place names, and the address behind its colon; undefined for a folder. */
export function kindOf(place: string): { readonly kind: string; readonly address: string } | undefined {
  // A single letter is a drive of Windows.
  const match = /^([a-z][a-z0-9]+):(.*)$/s.exec(place);
  if (!match || (match[1] !== 'local' && !Object.hasOwn(kinds, match[1]) && !unknownKinds.has(match[1]))) return undefined;
  return { kind: match[1], address: match[2] };
}

/**
 * Opens the storage at a place. Nothing is asked of a server yet. Throws `bad-usage` for a kind that is not supported and an
 * address that cannot be meant, `input-unreadable` for a file of credentials that cannot be read.
 */
export async function openPlace(place: string, context: OpenContext): Promise<Storage> {
  const found = kindOf(place);
  if (!found) return new LocalStorage(place);
  const { kind, address } = found;
  if (kind === 'local') return new LocalStorage(address);
  const load = kinds[kind];
  if (!load)
    return fail('bad-usage', { problem: `Holdfast cannot use ${kind} destinations yet.`, guidance: 'Use another kind of destination.' });
  const open = await load();
  return open(address, context);
}
