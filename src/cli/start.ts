/**
 * The main job in one go, for `npm start`: backs up, proves the snapshot by reading its data back, and says how to look into
 * it and restore it.
 */
import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { HoldfastError } from '../contract/errors.ts';
import { executeBackup } from '../engine/backup/backup.ts';
import { compileExcludes } from '../engine/backup/exclude.ts';
import { nameBytes } from '../engine/backup/name-text.ts';
import { planBackup } from '../engine/backup/plan.ts';
import { executeCheck } from '../engine/check/check.ts';
import { planCheck } from '../engine/check/plan.ts';
import { displayPath } from '../platform/byte-paths.ts';
import { exitAtOnce } from '../platform/exit.ts';
import { favourSmallMemory } from '../platform/memory.ts';
import { reportBackup, reportNotes } from './backup-report.ts';
import { reportCheck } from './check-report.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { rawArguments } from './raw-arguments.ts';
import { type GlobalOptions, type Invocation, runVerb } from './run-verb.ts';
import { type Destination, type KeptIn, openDestination } from './start/destination.ts';
import { nextSteps } from './start/next-steps.ts';
import { usualSources } from './start/sources.ts';
import { whenBackupCancelled } from './verbs/backup.ts';

interface StartOptions extends GlobalOptions {
  readonly to?: string;
}

async function main(args: readonly string[]): Promise<ExitCode> {
  const program = new Command('npm start --')
    .description('Backs folders up, proves the snapshot by a check, and says how to restore it.')
    .argument('[folder...]', 'what to back up (default: your Documents folder, else the visible folders of your home folder)')
    .option(
      '--to <destination>',
      "what to back up to: a folder, best on another disk, or a place on a server (default: a repository in Holdfast's own folder)",
    )
    .option('--credentials-file <file>', 'a file with lines of NAME=value that open a place on a server; else the environment does')
    .option('--json', 'write one JSON object a line, for programs')
    .addHelpText(
      'after',
      '\nExamples:\n  npm start -- ~/Documents\n  npm start -- ~/Documents ~/Pictures --to /media/disk/backup\n  npm start -- ~/Documents --to sftp:me@nas:/backup',
    )
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  const facts = { whenCancelled: whenBackupCancelled };
  try {
    program.parse([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done;
    const words = error instanceof CommanderError ? error.message.replace(/^error: /, '') : String(error);
    return runVerb({ json: args.includes('--json') }, facts, async () => {
      throw new HoldfastError('bad-usage', { problem: `${words}.`, guidance: 'See "npm start -- --help".' }, { cause: error });
    });
  }
  const options = program.opts<StartOptions>();
  return runVerb(options, facts, (invocation) => start(program.args, options.to, invocation));
}

async function start(folders: readonly string[], to: string | undefined, invocation: Invocation): Promise<ExitCode> {
  const { output, identity } = invocation;
  const sources = folders.length > 0 ? folders.map(nameBytes) : usualSources().map((path) => Buffer.from(path));
  if (sources.length === 0) {
    throw new HoldfastError('bad-usage', {
      problem: 'Your home folder holds no folder that could be backed up.',
      guidance: 'Name what to back up: npm start -- FOLDER…',
    });
  }
  // Before a repository is made for nothing.
  const there = sources.filter((source) => statSync(source, { throwIfNoEntry: false }) !== undefined);
  if (there.length === 0) throw new HoldfastError('source-missing', { path: sources.map(displayPath).join(', ') });
  const destination = await openDestination(to, invocation);
  const { repository } = destination;
  try {
    const { location } = repository.storage;
    output.lines(`Backing up ${sources.map(displayPath).join(', ')}`, `to the ${destination.isNew ? 'new ' : ''}repository ${location}.`);
    const plan = await planBackup(repository, { ...identity, sources, rules: compileExcludes({}), tags: [] });
    reportNotes(output, plan);
    const backup = await executeBackup(repository, plan, invocation.options);
    const backupCode = reportBackup(output, plan, backup);
    const checkPlan = await planCheck(repository, { snapshots: [backup.snapshot], readData: 'snapshot' });
    const checkCode = reportCheck(output, await executeCheck(repository, checkPlan, invocation.options));
    if (checkCode === exitCodes.done) tellNextSteps(destination, plan.sources, backup.snapshot, invocation);
    return checkCode === exitCodes.done ? backupCode : checkCode;
  } finally {
    await repository.storage.close().catch(() => {});
  }
}

function tellNextSteps(
  { repository, kept }: Destination,
  sources: readonly Buffer[],
  snapshot: string,
  { output, globals }: Invocation,
): void {
  const { location, localPath } = repository.storage;
  const passwordFile = kept === undefined || kept.where === 'keychain' ? undefined : kept.file;
  const target = join(homedir(), `holdfast-restored-${snapshot.slice(0, 8)}`);
  const { list, browse, restore } = nextSteps(location, { password: passwordFile, credentials: globals.credentialsFile }, snapshot, target);
  output.lines(
    '',
    'The snapshot was read back and is whole. To see all snapshots, to look into this one, and to restore it:',
    `  ${list}`,
    `  ${browse}`,
    `  ${restore}`,
  );
  if (kept !== undefined) output.lines('', ...keptWhere(kept), 'Keep a copy of it somewhere else: without it nobody can read the backup.');
  const shared = localPath !== undefined && onSameDisk(location, sources);
  if (shared) {
    output.lines(
      '',
      'This backup is on the same disk as the originals: it does not survive the death of that disk, nor theft or fire.',
      'Back up to another disk as well: npm start -- FOLDER… --to DESTINATION',
    );
  }
  output.object('next', {
    repository: location,
    passwordFile,
    inKeychain: kept?.where === 'keychain',
    snapshot,
    list,
    browse,
    restore,
    sameDisk: shared,
  });
}

function keptWhere(kept: KeptIn): string[] {
  if (kept.where === 'keychain')
    return ['The password of the repository is kept in the keychain of this computer, whose own program shows it under the name Holdfast.'];
  const told = `The password of the repository is kept in ${kept.file}.`;
  return kept.where === 'named' ? [told] : [told, `It is not in the keychain of this computer: ${kept.reason}.`];
}

/** Whether any source lies on the file system of the repository. Another file system may still be on the same disk. */
function onSameDisk(repository: string, sources: readonly Buffer[]): boolean {
  const device = statSync(repository, { throwIfNoEntry: false })?.dev;
  return sources.some((source) => statSync(source, { throwIfNoEntry: false })?.dev === device);
}

favourSmallMemory();
// As in main.ts.
exitAtOnce(await main(rawArguments(process.argv)));
