/** init: makes a repository. */
import { fail } from '../../contract/errors.ts';
import { holdsRepository, Repository } from '../../repository/repository.ts';
import { isMissingPlace } from '../../storage/missing-place.ts';
import type { Storage } from '../../storage/storage.ts';
import { exitCodes } from '../exit-codes.ts';
import { refuseEmptyMountPoint } from '../../storage/mount-points.ts';
import { fromVariables, newPassword } from '../passwords.ts';
import type { Verbs } from '../verbs.ts';
import type { Invocation } from '../run-verb.ts';
import { openRepository, passwordSourceOf, placeOf, storageAt } from '../session.ts';

interface InitOptions {
  readonly fromRepo?: string;
  readonly fromPasswordFile?: string;
  readonly fromCredentialsFile?: string;
  readonly copyChunkerParams?: boolean;
}

export function addInit({ program, run }: Verbs): void {
  program
    .command('init')
    .description('make a new repository in an empty place')
    .option('--from-repo <place>', 'another repository to take settings from')
    .option('--from-password-file <file>', 'a file that holds the password of that repository')
    .option('--from-credentials-file <file>', 'a file of NAME=value lines with what opens the server of that repository')
    .option('--copy-chunker-params', 'cut files where that repository does, so that both hold the same pieces')
    .addHelpText(
      'after',
      `
The password is asked for twice unless it is given (--password-file, HOLDFAST_PASSWORD, HOLDFAST_PASSWORD_FILE). Without it
nobody can ever read the backups: keep a copy in a safe place. That of the other repository can also be given in
HOLDFAST_FROM_PASSWORD or HOLDFAST_FROM_PASSWORD_FILE.

Examples:
  holdfast --repo /media/disk/backup init
  holdfast --repo /media/other/backup init --from-repo /media/disk/backup --copy-chunker-params`,
    )
    .action((options: InitOptions, command) =>
      run(command, { whenCancelled: 'Cancelled. No repository was made.' }, async (invocation) => {
        const { output, clock, identity, env, control } = invocation;
        const storage = await storageAt(placeOf(invocation), invocation);
        const polynomial = await polynomialOf(options, invocation);
        // Before anybody invents a password for it.
        if (await isTaken(storage)) return fail('repository-exists', { location: storage.location });
        await refuseEmptyMountPoint(storage);
        const password = await newPassword(passwordSourceOf(invocation), storage.location, { env, signal: control.signal });
        await control.checkpointAsync();
        const repository = await Repository.init(storage, password, identity, clock, { polynomial });
        const { id } = repository.config;
        output.lines(
          `A new repository (${id.slice(0, 10)}) is ready at ${storage.location}.`,
          'Without its password nobody can read what will be in it: keep a copy of the password in a safe place.',
        );
        output.object('summary', { id, location: storage.location });
        return exitCodes.done;
      }),
    );
}

/** Whether a repository is there; a folder that does not exist holds none. */
async function isTaken(storage: Storage): Promise<boolean> {
  try {
    return await holdsRepository(storage);
  } catch (error) {
    if (isMissingPlace(error)) return false;
    throw error;
  }
}

/** The chunker polynomial to use, when another repository's is wanted. */
async function polynomialOf(options: InitOptions, invocation: Invocation): Promise<string | undefined> {
  const { fromRepo, fromPasswordFile, fromCredentialsFile, copyChunkerParams } = options;
  if (copyChunkerParams !== true) {
    if (fromRepo === undefined && fromPasswordFile === undefined) return undefined;
    return fail('bad-usage', {
      problem: '--from-repo says where settings come from, but none is wanted.',
      guidance: 'Add --copy-chunker-params.',
    });
  }
  if (fromRepo === undefined)
    return fail('bad-usage', { problem: '--copy-chunker-params needs a repository to copy from.', guidance: 'Name it with --from-repo.' });
  const password = { file: fromPasswordFile, variables: fromVariables };
  const other = await openRepository(fromRepo, password, invocation, { credentialsFile: fromCredentialsFile });
  await other.storage.close();
  return other.config.chunker_polynomial;
}
