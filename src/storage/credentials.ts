/**
 * What opens a destination: user names, passwords, keys, and the files that hold such. Each has a name, the one that restic
 * gives it in the environment or one of Holdfast's own, and comes from the environment or from a file of `NAME=value` lines;
 * never from an argument, which every program on the computer can see. What the file says wins.
 */
import { readFileSync } from 'node:fs';
import { fail } from '../contract/errors.ts';

export interface Credentials {
  /** The value of the first of these names that has one which is not empty. */
  get(...names: readonly string[]): string | undefined;
}

/** Throws `input-unreadable`, `bad-usage` for a line that is none. */
export function credentialsFrom(env: Readonly<Record<string, string | undefined>>, file: string | undefined): Credentials {
  const fromFile = file === undefined ? new Map<string, string>() : readCredentialsFile(file);
  return {
    get(...names) {
      for (const find of [(name: string) => fromFile.get(name), (name: string) => env[name]])
        for (const name of names) {
          const value = find(name);
          if (value !== undefined && value !== '') return value;
        }
      return undefined;
    },
  };
}

/** What opens places of each kind, by the beginnings of its names. */
const namesOfKind: Readonly<Record<string, RegExp>> = {
  s3: /^(AWS|HOLDFAST_S3)_/,
  azure: /^((AZURE|HOLDFAST_AZURE)_|HOLDFAST_CLOUD_IDENTITY$)/,
  gs: /^((GOOGLE|HOLDFAST_GCS|AWS)_|(HOLDFAST_CLOUD_IDENTITY|GCE_METADATA_HOST)$)/,
  rest: /^(HOLDFAST|RESTIC)_REST_/,
  webdav: /^HOLDFAST_WEBDAV_/,
  sftp: /^(HOLDFAST_SFTP_|SSH_AUTH_SOCK$)/,
  rclone: /^(RCLONE_|HOLDFAST_RCLONE$)/,
};
const namesOfAll = /^(HOLDFAST|RESTIC)_(CACERT|TLS_CLIENT_CERT)$/;

/**
 * All that a place of this kind may need, by name, to be kept elsewhere: a service does not live in the environment of whoever
 * connects a destination. Throws as {@link credentialsFrom}.
 */
export function collectCredentials(
  kind: string,
  env: Readonly<Record<string, string | undefined>>,
  file: string | undefined,
): Record<string, string> {
  const own = Object.hasOwn(namesOfKind, kind) ? namesOfKind[kind] : undefined;
  const all = [...Object.entries(env), ...(file === undefined ? [] : readCredentialsFile(file))];
  return Object.fromEntries(
    all.filter(
      (entry): entry is [string, string] => (entry[1] ?? '') !== '' && (own?.test(entry[0]) === true || namesOfAll.test(entry[0])),
    ),
  );
}

/** Those that are given by name: from a keychain. Nothing is taken from the environment. */
export function credentialsOf(values: Readonly<Record<string, string>>): Credentials {
  return credentialsFrom(values, undefined);
}

/** Lines as a shell or systemd would read them: `NAME=value`, `export NAME='value'`; empty ones and those after `#` do not count. */
const line = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/;

function readCredentialsFile(file: string): Map<string, string> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return fail('input-unreadable', { path: file, purpose: 'the file of credentials', cause: (error as Error).message }, error);
  }
  const found = new Map<string, string>();
  for (const [i, each] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    const written = each.trim();
    if (written === '' || written.startsWith('#')) continue;
    const match = line.exec(written);
    // The line itself is not shown: it may be a password.
    if (!match)
      return fail('bad-usage', { problem: `Line ${i + 1} of ${file} is not of the form NAME=value.`, guidance: 'Write one a line.' });
    found.set(match[1], unquoted(match[2]));
  }
  return found;
}

function unquoted(value: string): string {
  const [first] = value;
  return value.length > 1 && (first === '"' || first === "'") && value.endsWith(first) ? value.slice(1, -1) : value;
}
