/** man: the manual page. */
import { spawnSync } from 'node:child_process';
import { fail } from '../../contract/errors.ts';
import { manPage } from '../describe/man-page.ts';
import { factsOf } from '../describe/program-facts.ts';
import { exitCodes } from '../exit-codes.ts';
import { overview } from '../overview.ts';
import { cancelledReading } from '../run-verb.ts';
import type { Verbs } from '../verbs.ts';
import { version, versionDate } from '../version.ts';

export function addMan({ program, run }: Verbs): void {
  program
    .command('man')
    .description('show the manual page, or write it where the output is no terminal')
    .addHelpText('after', '\nExamples:\n  holdfast man\n  holdfast man > ~/.local/share/man/man1/holdfast.1')
    .action((_, command) =>
      run(command, cancelledReading, async ({ output }) => {
        if (output.json) return fail('bad-usage', { problem: 'A page cannot be written as JSON.', guidance: 'Leave --json out.' });
        const page = manPage({ program: factsOf(program), overview, version, date: versionDate });
        if (output.stdout.isTerminal && isShown(page)) return exitCodes.done;
        await output.stdout.send(page);
        return exitCodes.done;
      }),
    );
}

/** Shows the page with man(1); false where there is none. */
function isShown(page: string): boolean {
  const { error, status } = spawnSync('man', ['-l', '-'], { input: page, stdio: ['pipe', 'inherit', 'inherit'] });
  return !error && status === 0;
}
