/** login: who may use the service from another computer. */
import { formatMoment } from '../dates.ts';
import { exitCodes } from '../exit-codes.ts';
import { newPassword } from '../passwords.ts';
import { cancelledReading } from '../run-verb.ts';
import { withService } from '../service-session.ts';
import { tableLines } from '../table.ts';
import type { Verbs } from '../verbs.ts';

interface AddOptions {
  readonly newPasswordFile?: string;
}

export function addLogin({ program, run }: Verbs): void {
  const group = program
    .command('login')
    .description('list, add and remove the logins for browsers of other computers')
    .addHelpText('after', '\nExamples:\n  holdfast login add anna\n  holdfast login list\n  holdfast login revoke anna');

  const list = group
    .command('list')
    .description('list the logins, and where each is in use')
    .addHelpText('after', '\nExample:\n  holdfast login list')
    .action(() =>
      run(list, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          const logins = await client.logins.list();
          const rows = logins.flatMap(({ name, created, sessions }) => [
            [name, formatMoment(created), '', ''],
            ...sessions.map(({ address, created: since, used }) => ['', formatMoment(since), address, formatMoment(used)]),
          ]);
          invocation.output.lines(
            ...tableLines([{ title: 'Name' }, { title: 'Since' }, { title: 'In use from' }, { title: 'Last used' }], rows),
          );
          for (const login of logins) invocation.output.object('login', login);
          invocation.output.object('summary', { logins: logins.length });
          return exitCodes.done;
        }),
      ),
    );

  const add = group
    .command('add')
    .description('let somebody in by this name and a password')
    .argument('<name>', 'the name')
    .option('--new-password-file <file>', 'a file that holds the password; else it is asked for')
    .addHelpText('after', '\nExample:\n  holdfast login add anna --new-password-file anna.txt')
    .action((name: string, { newPasswordFile }: AddOptions) =>
      run(add, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          const { env, control, output } = invocation;
          const source = { file: newPasswordFile, variables: undefined };
          const password = await newPassword(source, `the login “${name}”`, { env, signal: control.signal });
          await client.logins.add({ name, password });
          output.lines(`“${name}” can log in from now on.`);
          output.object('summary', { added: name });
          return exitCodes.done;
        }),
      ),
    );

  const remove = group
    .command('remove')
    .description('remove a login; whoever uses it is logged out')
    .argument('<name>', 'the name')
    .addHelpText('after', '\nExample:\n  holdfast login remove anna')
    .action((name: string) =>
      run(remove, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          await client.logins.remove({ name });
          invocation.output.lines(`“${name}” cannot log in any more.`);
          invocation.output.object('summary', { removed: name });
          return exitCodes.done;
        }),
      ),
    );

  const revoke = group
    .command('revoke')
    .description('log out whoever uses a login, or everybody; they may log in again')
    .argument('[name]', 'the name')
    .addHelpText('after', '\nExamples:\n  holdfast login revoke anna\n  holdfast login revoke')
    .action((name: string | undefined) =>
      run(revoke, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          const { ended } = await client.logins.revoke({ name });
          invocation.output.lines(ended === 1 ? 'One session has ended.' : `${ended} sessions have ended.`);
          invocation.output.object('summary', { ended });
          return exitCodes.done;
        }),
      ),
    );
}
