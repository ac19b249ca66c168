/** All verbs, their options and their help; reads the arguments and runs one of them. */
import { Command, CommanderError } from 'commander';
import { HoldfastError, toHoldfastError } from '../contract/errors.ts';
import { type ExitCode, exitCodeOf, exitCodes } from './exit-codes.ts';
import { Output } from './output.ts';
import { type GlobalOptions, runVerb } from './run-verb.ts';
import type { Verbs } from './verbs.ts';
import { addBackup } from './verbs/backup.ts';
import { addCheck } from './verbs/check.ts';
import { addDump } from './verbs/dump.ts';
import { addForget } from './verbs/forget.ts';
import { addInit } from './verbs/init.ts';
import { addKey } from './verbs/key.ts';
import { addLs } from './verbs/ls.ts';
import { addPrune } from './verbs/prune.ts';
import { addRestore } from './verbs/restore.ts';
import { addSnapshots } from './verbs/snapshots.ts';
import { addTestConnection } from './verbs/test-connection.ts';
import { addUnlock } from './verbs/unlock.ts';
import { addVersion } from './verbs/version.ts';

const overview = `
A repository is a folder, or one of:
  rest:https://server:8000/path/   on a restic REST server; user name and password in HOLDFAST_REST_USERNAME and
                                   HOLDFAST_REST_PASSWORD
  s3:https://server/bucket/path    on Amazon S3 or a server like it; keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY,
                                   or a profile in AWS_PROFILE
  rclone:remote:path               on a remote of your rclone, which is found in PATH or named in HOLDFAST_RCLONE

A snapshot is its ID, the beginning of one, or "latest"; where a place in it is meant, a colon and a path follow.

Environment:
  HOLDFAST_REPOSITORY     the repository, instead of --repo
  HOLDFAST_PASSWORD       its password
  HOLDFAST_PASSWORD_FILE  a file that holds its password, instead of --password-file
  HOLDFAST_CREDENTIALS_FILE
                          a file of NAME=value lines with what opens its server, instead of --credentials-file; the same
                          names can stand in the environment, also as restic calls them (RESTIC_REST_USERNAME, …)
  HOLDFAST_CACERT         the certificate file of the only authority to trust
  HOLDFAST_TLS_CLIENT_CERT
                          a file with your own certificate and its key, for servers that ask for one
  HOLDFAST_DEBUG          1 adds to an error where in the program it came from

Exit codes:
  0 done · 1 failed or wrongly used · 3 done, but something is missing or damaged · 10 no repository there
  11 locked by another program · 12 wrong password · 130 cancelled

Examples:
  holdfast --repo /media/disk/backup init
  holdfast --repo /media/disk/backup backup ~/Documents
  holdfast --repo /media/disk/backup ls latest:/home/me/Documents
  holdfast --repo /media/disk/backup restore latest --target ~/restored`;

/** Runs the program with these arguments. Never throws; the caller ends the process. */
export async function runProgram(args: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = exitCodes.done;
  const program = new Command('holdfast');
  program
    .description("Backups you can prove: encrypted, deduplicated snapshots in restic's repository format.")
    .usage('[--repo R] [--password-file F] [--json] VERB …')
    .option('-r, --repo <place>', 'the repository')
    .option('-p, --password-file <file>', 'a file that holds its password')
    .option('--credentials-file <file>', 'a file of NAME=value lines with what opens its server')
    .option('--json', 'write one JSON object a line, for programs')
    .addHelpText('after', overview)
    .helpCommand('help [verb]', 'show the help of a verb')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeErr: () => {} });
  const verbs: Verbs = {
    program,
    run: async (command, facts, verb) => {
      code = await runVerb(command.optsWithGlobals<GlobalOptions>(), facts, verb);
    },
  };
  const adders = [
    addInit,
    addBackup,
    addSnapshots,
    addLs,
    addDump,
    addRestore,
    addCheck,
    addForget,
    addPrune,
    addUnlock,
    addKey,
    addTestConnection,
    addVersion,
  ];
  for (const add of adders) add(verbs);
  inheritSettings(program);
  try {
    if (args.length === 0) throw new HoldfastError('bad-usage', { problem: 'No verb was given.', guidance: 'See "holdfast --help".' });
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return exitCodes.done;
    return tell(thrown instanceof CommanderError ? usageError(thrown, program, args) : toHoldfastError(thrown), args);
  }
}

/** Commands that were made before keep their own settings. */
function inheritSettings(command: Command): void {
  for (const each of command.commands) {
    each.copyInheritedSettings(command);
    inheritSettings(each);
  }
}

function usageError(error: CommanderError, program: Command, args: readonly string[]): HoldfastError {
  const verb = program.commands.find((command) => args.includes(command.name()));
  const guidance = `See "holdfast ${verb ? `${verb.name()} ` : ''}--help".`;
  // A group of verbs without one of them shows its help instead of words.
  const words = error.code === 'commander.help' ? 'It is not said what to do.' : sentence(error.message.replace(/^error: /, ''));
  return new HoldfastError('bad-usage', { problem: words, guidance }, { cause: error });
}

function sentence(text: string): string {
  const whole = text.replace(/\n/g, ' ').trim();
  return `${whole.charAt(0).toUpperCase()}${whole.slice(1)}${/[.?!)]$/.test(whole) ? '' : '.'}`;
}

/** The arguments could not be read, so whether JSON is wanted is looked for in them. */
async function tell(error: HoldfastError, args: readonly string[]): Promise<ExitCode> {
  const end = args.indexOf('--');
  const json = args.slice(0, end < 0 ? args.length : end).includes('--json');
  const output = new Output({ json, stdout: process.stdout, stderr: process.stderr, env: process.env });
  output.error(error);
  await output.flush();
  return exitCodeOf(error.code);
}
