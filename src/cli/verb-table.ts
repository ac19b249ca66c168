/** All verbs, and where each is made. A run loads the one that it is about: reading the code of all took longer than some verbs take. */
import type { Verbs } from './verbs.ts';

type AddVerb = (verbs: Verbs) => void;

interface VerbFile {
  /** Verbs that it adds. */
  readonly names: readonly string[];
  load(): Promise<AddVerb>;
}

const file = (names: string | readonly string[], load: () => Promise<AddVerb>): VerbFile => ({
  names: typeof names === 'string' ? [names] : names,
  load,
});

/** As help shows them. */
const verbFiles: readonly VerbFile[] = [
  file('init', async () => (await import('./verbs/init.ts')).addInit),
  file('backup', async () => (await import('./verbs/backup.ts')).addBackup),
  file('snapshots', async () => (await import('./verbs/snapshots.ts')).addSnapshots),
  file('ls', async () => (await import('./verbs/ls.ts')).addLs),
  file('dump', async () => (await import('./verbs/dump.ts')).addDump),
  file('diff', async () => (await import('./verbs/diff.ts')).addDiff),
  file('find', async () => (await import('./verbs/find.ts')).addFind),
  file('stats', async () => (await import('./verbs/stats.ts')).addStats),
  file('restore', async () => (await import('./verbs/restore.ts')).addRestore),
  file('mirror', async () => (await import('./verbs/mirror.ts')).addMirror),
  file('export', async () => (await import('./verbs/export.ts')).addExport),
  file('check', async () => (await import('./verbs/check.ts')).addCheck),
  file('forget', async () => (await import('./verbs/forget.ts')).addForget),
  file('prune', async () => (await import('./verbs/prune.ts')).addPrune),
  file('tag', async () => (await import('./verbs/tag.ts')).addTag),
  file('rewrite', async () => (await import('./verbs/rewrite.ts')).addRewrite),
  file('migrate', async () => (await import('./verbs/migrate.ts')).addMigrate),
  file('recover', async () => (await import('./verbs/recover.ts')).addRecover),
  file('heal', async () => (await import('./verbs/heal.ts')).addHeal),
  file('repair', async () => (await import('./verbs/repair.ts')).addRepair),
  file('unlock', async () => (await import('./verbs/unlock.ts')).addUnlock),
  file('key', async () => (await import('./verbs/key.ts')).addKey),
  file('copy', async () => (await import('./verbs/copy.ts')).addCopy),
  file('move', async () => (await import('./verbs/move.ts')).addMove),
  file('completion', async () => (await import('./verbs/completion.ts')).addCompletion),
  file('man', async () => (await import('./verbs/man.ts')).addMan),
  file('test-connection', async () => (await import('./verbs/test-connection.ts')).addTestConnection),
  file('serve', async () => (await import('./verbs/serve.ts')).addServe),
  file('service', async () => (await import('./verbs/service.ts')).addService),
  file('status', async () => (await import('./verbs/status.ts')).addStatus),
  file('plan', async () => (await import('./verbs/plan.ts')).addPlan),
  file('destination', async () => (await import('./verbs/destination.ts')).addDestination),
  file('run', async () => (await import('./verbs/run.ts')).addRun),
  file(['pause', 'resume'], async () => (await import('./verbs/pause.ts')).addPause),
  file('prices', async () => (await import('./verbs/prices.ts')).addPrices),
  file('settings', async () => (await import('./verbs/settings.ts')).addSettings),
  file('recovery', async () => (await import('./verbs/recovery.ts')).addRecovery),
  file('history', async () => (await import('./verbs/history.ts')).addHistory),
  file('search', async () => (await import('./verbs/search.ts')).addSearch),
  file('protected', async () => (await import('./verbs/protected.ts')).addProtected),
  file('usage', async () => (await import('./verbs/usage.ts')).addUsage),
  file('catalogue', async () => (await import('./verbs/catalogue.ts')).addCatalogue),
  file('login', async () => (await import('./verbs/login.ts')).addLogin),
  file('version', async () => (await import('./verbs/version.ts')).addVersion),
];

/** These describe the whole program. */
const aboutAll: ReadonlySet<string> = new Set(['completion', 'man']);

/** What adds the verb of this name; what adds all of them where there is none, or it is about all. */
export function loadVerbs(verb?: string): Promise<AddVerb[]> {
  const own = verb === undefined || aboutAll.has(verb) ? undefined : verbFiles.find(({ names }) => names.includes(verb));
  return Promise.all((own ? [own] : verbFiles).map(({ load }) => load()));
}
