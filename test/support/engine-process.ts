/**
 * Another process at work on a repository, for tests of time zones, of other users, of tracing and of killing.
 *
 *     node engine-process.ts init REPOSITORY
 *     node engine-process.ts backup REPOSITORY SOURCE…
 *     node engine-process.ts restore REPOSITORY TARGET
 *     node engine-process.ts hold REPOSITORY [exclusive]
 *     node engine-process.ts migrate REPOSITORY COPIES
 *
 * `backup` and `restore` print one line of JSON; paths in it are text of Latin-1, so that every byte survives. `hold` locks the
 * repository, prints `held`, and keeps the lock until it is killed. `migrate` prints `ready` when the repository is open and `done` at the end. `--threads N` may stand before the repository.
 */
import { systemClock } from '../../src/platform/clock.ts';
import { Lock } from '../../src/repository/locks.ts';
import { executeMigrate, openForMigration } from '../../src/engine/migrate/migrate.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { backup, makeRepository, openRepository, password, restore, runOptions } from './engine.ts';
import { exitAtOnce } from '../../src/platform/exit.ts';

/** What `backup` prints. */
export type BackupReport = {
  snapshot: string;
  summary: Record<string, unknown>;
  problems: { kind: string; path: string; detail: string }[];
};

const [verb, ...rest] = process.argv.slice(2);
const threads = rest[0] === '--threads' ? Number(rest.splice(0, 2)[1]) : undefined;
const [folder = '', ...others] = rest;
const open = (): Promise<Repository> => {
  if (verb === 'init') return makeRepository(folder);
  return verb === 'migrate' ? openForMigration(new LocalStorage(folder), password, others[0] ?? '') : openRepository(folder);
};
const repository = await open();
const shown = (problems: readonly { kind: string; path: Uint8Array; detail: string }[]) =>
  problems.map(({ kind, path, detail }) => ({ kind, path: Buffer.from(path).toString('latin1'), detail }));

if (verb === 'backup') {
  const { snapshot, summary, problems } = await backup(repository, others, threads === undefined ? {} : { threads });
  console.log(
    JSON.stringify({ snapshot, summary, problems: shown(problems) } satisfies { summary: unknown } & Omit<BackupReport, 'summary'>),
  );
} else if (verb === 'restore') {
  const { problems, figures } = await restore(repository, others[0] ?? '');
  console.log(JSON.stringify({ figures, problems: shown(problems) }));
} else if (verb === 'hold') {
  await Lock.acquire(repository, runOptions().holder, others[0] === 'exclusive', systemClock);
  console.log('held');
  // Only a signal ends it.
  await systemClock.sleep(Number.POSITIVE_INFINITY);
} else if (verb === 'migrate') {
  console.log('ready');
  await executeMigrate(repository, { ...runOptions(), copies: others[0] ?? '' });
  console.log('done');
} else if (verb !== 'init') throw new TypeError(`no verb: ${verb}`);
exitAtOnce(0);
