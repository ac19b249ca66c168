/** The program: its own options and its help; reads the arguments and runs a verb. */
import { Command, CommanderError } from 'commander';
import { HoldfastError, toHoldfastError } from '../contract/errors.ts';
import { type ExitCode, exitCodeOf, exitCodes } from './exit-codes.ts';
import { Output } from './output.ts';
import { overviewText } from './overview.ts';
import { type GlobalOptions, runVerb } from './run-verb.ts';
import { verbOf } from './verb-of.ts';
import { loadVerbs } from './verb-table.ts';
import type { Verbs } from './verbs.ts';

/** The program with all its verbs, or with this one alone; `run` is called when one of them is. */
export async function makeProgram(run: Verbs['run'], verb?: string): Promise<Command> {
  const program = new Command('holdfast');
  program
    .description("Backups you can prove: encrypted, deduplicated snapshots in restic's repository format.")
    .usage('[--repo R] [--password-file F] [--json] VERB …')
    .option('-r, --repo <place>', 'the repository')
    .option('-p, --password-file <file>', 'a file that holds its password')
    .option('--credentials-file <file>', 'a file of NAME=value lines with what opens its server')
    .option('--limit-upload <rate>', 'bytes a second to a destination behind a network: 500K, or 08:00-18:00=500K,2M')
    .option('--limit-download <rate>', 'the same for what comes from there')
    .option('--no-cache', 'keep nothing of a repository behind a network on this computer, and use nothing of it')
    .option('--json', 'write one JSON object a line, for programs')
    .addHelpText('after', overviewText())
    .helpCommand('help [verb]', 'show the help of a verb')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeErr: () => {} });
  for (const add of await loadVerbs(verb)) add({ program, run });
  inheritSettings(program);
  return program;
}

/** Runs the program with these arguments. Never throws; the caller ends the process. */
export async function runProgram(args: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = exitCodes.done;
  let program: Command | undefined;
  try {
    if (args.length === 0) throw new HoldfastError('bad-usage', { problem: 'No verb was given.', guidance: 'See "holdfast --help".' });
    // Help may be asked for of the program itself, wherever the verb stands.
    const isHelp = args.includes('--help') || args.includes('-h');
    program = await makeProgram(
      async (command, facts, verb) => {
        code = await runVerb(command.optsWithGlobals<GlobalOptions>(), facts, verb);
      },
      isHelp ? undefined : verbOf(args),
    );
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return exitCodes.done;
    return tell(program && thrown instanceof CommanderError ? usageError(thrown, program, args) : toHoldfastError(thrown), args);
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
  // The first word that names a verb: some verbs of a group are called as others are.
  const verb = args.map((word) => program.commands.find((command) => command.name() === word)).find((command) => command !== undefined);
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
