/** protected: whether a path is protected, by which plan and rule, and where its newest copies are. */
import type { Protection } from '../../contract/catalogue.ts';
import type { State } from '../../contract/state.ts';
import { destinationNamed, planNamed, tellWhatIsMissing, typedPath } from '../catalogue.ts';
import { formatMoment } from '../dates.ts';
import { exitCodes } from '../exit-codes.ts';
import { cancelledReading } from '../run-verb.ts';
import { withService } from '../service-session.ts';
import type { Verbs } from '../verbs.ts';

export function addProtected({ program, run }: Verbs): void {
  const command = program
    .command('protected')
    .description('say whether a file or folder is protected, by which plan, and where its newest copies are (asks the service)')
    .argument('<path>', 'the file or folder')
    .addHelpText(
      'after',
      `
Ends with 0 for yes, 1 for no, and 3 for partly.

Example:
  holdfast protected ~/Documents/report.odt`,
    )
    .action((path: string) =>
      run(command, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          const state = await client.state();
          const found = await client.catalogue.protected({ path: typedPath(path) });
          invocation.output.lines(...linesOf(found, state));
          await tellWhatIsMissing(client, state, invocation);
          invocation.output.object('protection', found);
          return { yes: exitCodes.done, partly: exitCodes.incomplete, no: exitCodes.failed }[found.answer];
        }),
      ),
    );
}

const answers: Readonly<Record<Protection['answer'], string>> = {
  yes: 'Yes, it is protected.',
  partly: 'It is protected in part.',
  no: 'No, it is not protected.',
};

function linesOf({ path, answer, plans, others }: Protection, state: State): string[] {
  const lines = [`${path}: ${answers[answer]}`];
  const shown = plans.filter(({ because, copies }) => because.rule !== 'outside' || copies.some(({ newest }) => newest));
  for (const plan of shown) {
    lines.push('', `${plan.name}${plan.isEnabled ? '' : ' (switched off)'}: ${ruleText(plan.because)}`);
    for (const { name, newest, isKnown } of plan.copies)
      lines.push(
        `  ${name}: ${newest ? `newest copy of ${formatMoment(newest.at)}, snapshot ${newest.snapshot.slice(0, 8)}` : isKnown ? 'no copy' : 'no copy that is known'}`,
      );
  }
  for (const { plan, host, destinations } of others) {
    const copies = destinations.map((each) => `${destinationNamed(state, each.destination)} (newest of ${formatMoment(each.newest.at)})`);
    lines.push('', `Copies of ${planNamed(state, plan, host)}: ${copies.join(', ')}`);
  }
  return lines;
}

function ruleText(because: Protection['plans'][number]['because']): string {
  switch (because.rule) {
    case 'source':
      return `backs up ${because.source}`;
    case 'above':
      return `backs up only ${because.sources.join(', ')} in it`;
    case 'outside':
      return 'does not back it up now';
    case 'excluded':
      return `leaves out ${because.at} (${because.by})`;
  }
}
