/** The two programs that are compared, each as the commands that a person would type. */
import { join } from 'node:path';
import { resticPath } from '../support/restic.ts';
import type { Command } from './measure.ts';

export interface Program {
  readonly name: 'restic' | 'holdfast';
  backup(repository: string, folder: string): Command;
  check(repository: string): Command;
  restore(repository: string, target: string): Command;
  snapshots(repository: string): Command;
  ls(repository: string): Command;
  forget(repository: string, keep: number): Command;
  prune(repository: string): Command;
  /** Opens the repository and does next to nothing: the cost of the key derivation and of starting. */
  open(repository: string): Command;
}

export const password = 'measured';
export const passwordEnvironment = { RESTIC_PASSWORD: password, HOLDFAST_PASSWORD: password };
const cli = join(import.meta.dirname, '../../dist/cli.js');

const restic = (repository: string, ...args: string[]): Command => ({
  program: resticPath(),
  // Behind a network it may use its cache, as we do ours.
  args: ['-r', repository, ...(repository.startsWith('s3:') ? [] : ['--no-cache']), '--quiet', ...args],
  env: passwordEnvironment,
});
const holdfast = (repository: string, ...args: string[]): Command => ({
  program: process.execPath,
  args: [cli, '--repo', repository, ...args],
  env: passwordEnvironment,
});

function program(name: Program['name'], run: typeof restic): Program {
  return {
    name,
    backup: (repository, folder) => run(repository, 'backup', folder),
    check: (repository) => run(repository, 'check', '--read-data'),
    restore: (repository, target) => run(repository, 'restore', 'latest', '--target', target),
    snapshots: (repository) => run(repository, 'snapshots'),
    ls: (repository) => run(repository, 'ls', 'latest'),
    forget: (repository, keep) => run(repository, 'forget', '--keep-last', String(keep)),
    prune: (repository) => run(repository, 'prune'),
    open: (repository) => run(repository, 'key', 'list'),
  };
}

export const programs: readonly Program[] = [program('restic', restic), program('holdfast', holdfast)];

/** Both repositories are made by restic, so that opening costs the same. */
export const init = (repository: string): Command => restic(repository, 'init');
