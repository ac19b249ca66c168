/** What a person can do with a fresh backup: commands that work as they stand, in any folder of the same computer. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Text that a shell of this system takes as one word. */
export function shellWord(text: string, platform: NodeJS.Platform = process.platform): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(text)) return text;
  return platform === 'win32' ? `"${text.replace(/"/g, '""')}"` : `'${text.replace(/'/g, `'\\''`)}'`;
}

/**
 * The words that start the command line: this very Node, since the one that a shell finds may be too old, and the program
 * beside this one.
 */
export function commandLine(): string[] {
  const isSource = import.meta.url.endsWith('.ts');
  return [process.execPath, fileURLToPath(new URL(isSource ? '../main.ts' : './cli.js', import.meta.url))];
}

export interface Steps {
  readonly list: string;
  readonly browse: string;
  readonly restore: string;
}

/** What is undefined a person has given in the environment, or typed, and will again. */
export interface FilesOfSecrets {
  readonly password: string | undefined;
  readonly credentials: string | undefined;
}

export function nextSteps(repository: string, files: FilesOfSecrets, snapshot: string, target: string): Steps {
  const password = files.password === undefined ? [] : ['--password-file', files.password];
  const credentials = files.credentials === undefined ? [] : ['--credentials-file', resolve(files.credentials)];
  const line = (...words: string[]): string =>
    [...commandLine(), '--repo', repository, ...credentials, ...password, ...words].map((word) => shellWord(word)).join(' ');
  const id = snapshot.slice(0, 8);
  return { list: line('snapshots'), browse: line('ls', id), restore: line('restore', id, '--target', target) };
}
