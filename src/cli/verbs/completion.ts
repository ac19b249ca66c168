/** completion: scripts with which a shell completes what is typed. */
import { Argument } from 'commander';
import { fail } from '../../contract/errors.ts';
import { parseChoice } from '../arguments.ts';
import { bashCompletion } from '../describe/bash.ts';
import { fishCompletion } from '../describe/fish.ts';
import { factsOf } from '../describe/program-facts.ts';
import { zshCompletion } from '../describe/zsh.ts';
import { exitCodes } from '../exit-codes.ts';
import { cancelledReading } from '../run-verb.ts';
import type { Verbs } from '../verbs.ts';

const shells = ['bash', 'zsh', 'fish'] as const;
const makers = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

export function addCompletion({ program, run }: Verbs): void {
  program
    .command('completion')
    .description('write the script with which a shell completes verbs, options and their values')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addHelpText(
      'after',
      `
Examples:
  holdfast completion bash > ~/.local/share/bash-completion/completions/holdfast
  holdfast completion zsh > "\${fpath[1]}/_holdfast"
  holdfast completion fish > ~/.config/fish/completions/holdfast.fish
  source <(holdfast completion bash)`,
    )
    .action((shell: string, _, command) =>
      run(command, cancelledReading, async ({ output }) => {
        if (output.json) return fail('bad-usage', { problem: 'A script cannot be written as JSON.', guidance: 'Leave --json out.' });
        await output.stdout.send(makers[parseChoice(shell, shells, 'completion')](factsOf(program)));
        return exitCodes.done;
      }),
    );
}
