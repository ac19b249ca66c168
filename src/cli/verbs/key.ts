/** key: the passwords that open a repository. Each key file holds the same master key, locked with one password. */
import type { Command } from 'commander';
import { Lock } from '../../repository/locks.ts';
import type { Repository } from '../../repository/repository.ts';
import { formatTimeText } from '../dates.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { newPassword } from '../passwords.ts';
import { printable } from '../printable.ts';
import type { Verbs } from '../verbs.ts';
import { cancelledReading, type Invocation } from '../run-verb.ts';
import { withRepository } from '../session.ts';
import { tableLines } from '../table.ts';

interface NewPasswordOption {
  readonly newPasswordFile?: string;
}

const cancelled = { whenCancelled: 'Cancelled. The passwords that opened the repository before still open it.' };

export function addKey({ program, run }: Verbs): void {
  const key = program
    .command('key')
    .description('list, add, remove and change the passwords of a repository')
    .addHelpText(
      'after',
      `
Examples:
  holdfast --repo /media/disk/backup key list
  holdfast --repo /media/disk/backup key add --new-password-file new.txt
  holdfast --repo /media/disk/backup key remove 1a2b3c4d
  holdfast --repo /media/disk/backup key change`,
    );

  key
    .command('list')
    .description('list the keys; * marks the one that opened the repository')
    .addHelpText('after', '\nExample:\n  holdfast --repo /media/disk/backup key list')
    .action((_, command: Command) =>
      run(command, cancelledReading, (invocation) => withRepository(invocation, (repository) => list(repository, invocation))),
    );

  withNewPassword(key.command('add'))
    .description('add a password')
    .addHelpText('after', '\nExample:\n  holdfast --repo /media/disk/backup key add --new-password-file new.txt')
    .action((options: NewPasswordOption, command: Command) =>
      run(command, cancelled, (invocation) =>
        withRepository(invocation, async (repository) => {
          const password = await passwordOf(options, repository, invocation);
          const id = await locked(repository, invocation, false, () => repository.addKey(password, invocation.identity, invocation.clock));
          invocation.output.lines(`Key ${id.slice(0, 8)} was added: its password opens the repository as well.`);
          invocation.output.object('summary', { added: id });
          return exitCodes.done;
        }),
      ),
    );

  key
    .command('remove')
    .description('remove a key; its password does not open the repository any more')
    .argument('<id>', 'the key, by its ID or the beginning of it')
    .addHelpText('after', '\nExample:\n  holdfast --repo /media/disk/backup key remove 1a2b3c4d')
    .action((wanted: string, _, command: Command) =>
      run(command, cancelled, (invocation) =>
        withRepository(invocation, async (repository) => {
          const id = await locked(repository, invocation, true, () => repository.removeKey(wanted));
          invocation.output.lines(`Key ${id.slice(0, 8)} was removed.`);
          invocation.output.object('summary', { removed: id });
          return exitCodes.done;
        }),
      ),
    );

  withNewPassword(key.command('change'))
    .description('replace the password that opened the repository')
    .addHelpText('after', '\nExample:\n  holdfast --repo /media/disk/backup key change --new-password-file new.txt')
    .action((options: NewPasswordOption, command: Command) =>
      run(command, cancelled, (invocation) =>
        withRepository(invocation, async (repository) => {
          const password = await passwordOf(options, repository, invocation);
          const removed = repository.keyId;
          const id = await locked(repository, invocation, true, () =>
            repository.changePassword(password, invocation.identity, invocation.clock),
          );
          invocation.output.lines('The password was changed: from now on only the new one (and those of other keys) opens the repository.');
          invocation.output.object('summary', { added: id, removed });
          return exitCodes.done;
        }),
      ),
    );
}

const withNewPassword = (command: Command): Command =>
  command.option('--new-password-file <file>', 'a file that holds the new password; else it is asked for');

const passwordOf = ({ newPasswordFile }: NewPasswordOption, repository: Repository, { env, control }: Invocation): Promise<string> =>
  newPassword({ file: newPasswordFile, variables: undefined }, repository.storage.location, { env, signal: control.signal });

async function locked<T>(
  repository: Repository,
  { options, control }: Invocation,
  exclusive: boolean,
  change: () => Promise<T>,
): Promise<T> {
  const lock = await Lock.acquire(repository, options.holder, exclusive, options.clock);
  try {
    await control.checkpointAsync();
    return await change();
  } finally {
    await lock.release().catch(() => {});
  }
}

/** Without a lock: a listing shows what there is at this moment. */
async function list(repository: Repository, { output }: Invocation): Promise<ExitCode> {
  const keys = await repository.keys();
  const rows = keys.map(({ id, file, current }) => [
    `${current ? '*' : ' '}${id.slice(0, 8)}`,
    printable(file.username),
    printable(file.hostname),
    formatTimeText(file.created),
  ]);
  output.lines(...tableLines([{ title: ' ID' }, { title: 'User' }, { title: 'Host' }, { title: 'Created' }], rows));
  for (const { id, file, current } of keys) {
    output.object('key', { id, current, username: file.username, hostname: file.hostname, created: file.created });
  }
  output.object('summary', { keys: keys.length });
  return exitCodes.done;
}
