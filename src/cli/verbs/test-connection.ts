/** test-connection: tries what a backup would need of a place, and says what is wrong. */
import { type ConnectionReport, type ConnectionStep, testConnection } from '../../engine/test-connection.ts';
import { type ExitCode, exitCodeOf, exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { givenPassword } from '../passwords.ts';
import { openContextOf, passwordSourceOf, placeOf } from '../session.ts';
import type { Verbs } from '../verbs.ts';

interface TestConnectionOptions {
  readonly create?: boolean;
  /** False with --no-write. */
  readonly write: boolean;
}

export function addTestConnection({ program, run }: Verbs): void {
  program
    .command('test-connection')
    .description('say whether a place can be used for backups, and what is wrong if not')
    .option('--no-write', 'only look: do not try whether something can be stored and removed')
    .option('--create', 'make the place (folder, bucket) if it is not there, and try to store something there')
    .addHelpText(
      'after',
      `
Nothing is left behind there, but what --create makes. The password of the repository is tried when it is given; it is not asked for.
Exits with 10 when all works and no repository is there yet.

Examples:
  holdfast --repo rest:https://server.example:8000/me/ test-connection
  holdfast --repo /media/disk/backup --password-file ~/.backup-password test-connection`,
    )
    .action(({ create, write }: TestConnectionOptions, command) =>
      run(command, { whenCancelled: 'Cancelled.' }, async (invocation) => {
        const { output, identity, env } = invocation;
        const report = await testConnection(placeOf(invocation), {
          ...openContextOf(invocation),
          identity,
          password: givenPassword(passwordSourceOf(invocation), env),
          write,
          create,
        });
        return tell(report, output);
      }),
    );
}

const marks: Readonly<Record<ConnectionStep['result'], string>> = {
  ok: 'ok      ',
  warning: 'WARNING ',
  failed: 'FAILED  ',
  skipped: '-       ',
};

const verdicts: Readonly<Record<ConnectionReport['verdict'], string>> = {
  ready: 'The connection works.',
  empty: 'The connection works; no repository is there yet.',
  missing: 'The connection works; the place is not there yet.',
  unusable: 'This place cannot be used as it is.',
};

function tell({ steps, error, ...facts }: ConnectionReport, output: Output): ExitCode {
  output.lines(facts.location);
  for (const { step, result, detail, error: why } of steps) {
    output.lines(`  ${marks[result]}${detail}`);
    if (why) output.lines(`          ${why.guidance}`);
    output.object('step', { step, result, detail, ...(why ? { error: why } : {}) });
  }
  output.lines(verdicts[facts.verdict]);
  output.object('summary', { ...facts, ...(error ? { error } : {}) });
  if (error) return exitCodeOf(error.code);
  return facts.verdict === 'ready' ? exitCodes.done : exitCodes.noRepository;
}
