/** heal: makes a damaged repository whole again with what other repositories and unchanged files hold of it. */
import { resolve } from 'node:path';
import { fail } from '../../contract/errors.ts';
import { executeHeal } from '../../engine/heal/heal.ts';
import { planHeal } from '../../engine/heal/plan.ts';
import { type HealRequest, type HealSource, OpenedSources } from '../../engine/heal/request.ts';
import { collect } from '../arguments.ts';
import { reportHealing } from '../heal-report.ts';
import { fromVariables } from '../passwords.ts';
import { startAndFollow } from '../follow-run.ts';
import { findDestination, withService } from '../service-session.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Invocation } from '../run-verb.ts';
import { openRepository, withRepositoryItself } from '../session.ts';
import type { Verbs } from '../verbs.ts';

interface HealOptions {
  readonly from?: readonly string[];
  readonly fromPasswordFile?: readonly string[];
  readonly fromCredentialsFile?: string;
  readonly source?: readonly string[];
  readonly snapshot?: readonly string[];
  readonly quick?: boolean;
  readonly keepIn?: string;
  readonly dryRun?: boolean;
}

export function addHeal({ program, run }: Verbs): void {
  const command = program
    .command('heal')
    .description('bring back what is damaged or missing, from other repositories and unchanged files')
    .argument('[destination]', 'a destination of the service, healed from its other destinations (default: the repository of --repo)')
    .option('--from <place>', 'another repository that may hold the same data; can be given several times', collect)
    .option('--from-password-file <file>', 'the password of the others: one file for all, or one for each in their order', collect)
    .option('--from-credentials-file <file>', 'a file of NAME=value lines with what opens the servers of the others')
    .option('--source <folder>', 'a folder that was backed up: its unchanged files are used; can be given several times', collect)
    .option('--snapshot <id>', 'a snapshot that is gone though nobody forgot it; can be given several times', collect)
    .option('--quick', 'do not read all data: only what index, sizes and folders tell is found')
    .option('--keep-in <folder>', 'where copies of damaged files are kept before they are removed (default: the current folder)')
    .option('-n, --dry-run', 'say what would be healed from where, and change nothing')
    .addHelpText(
      'after',
      `
The index is repaired, damaged packs are replaced by what is intact in them, and what is lost then is looked for in the other
repositories and in the files on this computer that still have the size and time which a snapshot says. Each piece is proved before it is
used. Repositories share data if one was made with "init --from-repo … --copy-chunker-params" of the other; keys may differ. What is
nowhere to be had is named with the files that need it, and all else can be restored; the exit code is 3 then.

A snapshot whose file is gone looks as if it had been forgotten: name it with --snapshot, by its ID here or in another repository. The
password of the others can also be given in HOLDFAST_FROM_PASSWORD or HOLDFAST_FROM_PASSWORD_FILE.

Examples:
  holdfast --repo /media/disk/backup heal --from /media/other/backup --dry-run
  holdfast --repo /media/disk/backup heal --from sftp:nas:/backup --source ~/Documents
  holdfast --repo /media/disk/backup heal --quick
  holdfast heal NAS`,
    )
    .action((destination: string | undefined, options: HealOptions) =>
      run(command, { whenCancelled: 'Cancelled. Nothing is lost by that; run it again to carry on.' }, async (invocation) => {
        if (destination !== undefined) return healDestination(destination, options, invocation);
        const opened = new OpenedSources(sourcesOf(options, invocation));
        try {
          const request = requestOf(options, opened.sources);
          return await withRepositoryItself(invocation, async (repository) => {
            const { output } = invocation;
            if (options.dryRun) return reportHealing(output, await planHeal(repository, request, invocation.options), true);
            const keepIn = options.keepIn ?? process.cwd();
            return reportHealing(output, await executeHeal(repository, request, { ...invocation.options, keepIn }), false);
          });
        } finally {
          await opened.close();
        }
      }),
    );
}

/** As a run of the service, which knows the other destinations and their secrets. */
async function healDestination(name: string, options: HealOptions, invocation: Invocation): Promise<ExitCode> {
  if (Object.keys(options).length > 0 || invocation.globals.repo !== undefined)
    return fail('bad-usage', {
      problem: 'A destination is healed from all others that the service knows, so nothing else can be said about it.',
      guidance: 'Leave the options out, or name a repository with --repo instead of a destination.',
    });
  return withService(invocation, async (client) => {
    const { id } = findDestination(await client.state(), name);
    return startAndFollow(client, invocation, true, () => client.care.heal({ destination: id }));
  });
}

function sourcesOf({ from = [], fromPasswordFile: files = [], fromCredentialsFile }: HealOptions, invocation: Invocation): HealSource[] {
  if (files.length > 1 && files.length !== from.length)
    fail('bad-usage', {
      problem: `There are ${files.length} password files for ${from.length} repositories.`,
      guidance: 'Give one --from-password-file for all, or one for each --from.',
    });
  return from.map((place, i) => ({
    name: place,
    open: () =>
      openRepository(place, { file: files.length > 1 ? files[i] : files[0], variables: fromVariables }, invocation, {
        credentialsFile: fromCredentialsFile,
      }),
  }));
}

function requestOf({ source = [], snapshot, quick, keepIn }: HealOptions, others: readonly HealSource[]): HealRequest {
  if (keepIn === '' || source.includes(''))
    return fail('bad-usage', {
      problem: `${keepIn === '' ? '--keep-in' : '--source'} names no folder.`,
      guidance: 'Name one.',
    });
  return { others, sources: source.map((folder) => resolve(folder)), snapshots: snapshot, packs: quick ? [] : 'all' };
}
