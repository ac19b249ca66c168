/**
 * Another process at work on a repository, for tests of time zones, of other users, of tracing and of killing.
 *
 *     node engine-process.ts init REPOSITORY
 *     node engine-process.ts backup REPOSITORY SOURCE…
 *     node engine-process.ts restore REPOSITORY TARGET
 *     node engine-process.ts hold REPOSITORY [exclusive]
 *
 * `backup` and `restore` print one line of JSON; paths in it are text of Latin-1, so that every byte survives. `hold` locks the
 * repository, prints `held`, and keeps the lock until it is killed. `--threads N` may stand before the repository.
 */
import { systemClock } from '../../src/platform/clock.ts';
import { Lock } from '../../src/repository/locks.ts';
import { backup, makeRepository, openRepository, restore, runOptions } from './engine.ts';

/** What `backup` prints. */
export type BackupReport = {
  snapshot: string;
  summary: Record<string, unknown>;
  problems: { kind: string; path: string; detail: string }[];
};

const [verb, ...rest] = process.argv.slice(2);
const threads = rest[0] === '--threads' ? Number(rest.splice(0, 2)[1]) : undefined;
const [folder = '', ...others] = rest;
const repository = await (verb === 'init' ? makeRepository(folder) : openRepository(folder));
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
} else if (verb !== 'init') throw new TypeError(`no verb: ${verb}`);
process.exit(0);
