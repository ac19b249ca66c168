/** history: all versions of a file or folder, over all snapshots and destinations. */
import type { PathVersion } from '../../contract/catalogue.ts';
import type { State } from '../../contract/state.ts';
import { formatBytes } from '../../platform/sizes.ts';
import { coverageText, entryFields, pagesOf, planNamed, tellWhatIsMissing, typedPath, type WhichOptions, whichOf } from '../catalogue.ts';
import { formatMoment } from '../dates.ts';
import { kindWord } from '../entry-line.ts';
import { cancelledReading } from '../run-verb.ts';
import { withService } from '../service-session.ts';
import { tableLines } from '../table.ts';
import type { Verbs } from '../verbs.ts';

export function addHistory({ program, run }: Verbs): void {
  const command = program
    .command('history')
    .description('list all versions of a file or folder, and where they are (asks the service)')
    .argument('<path>', 'the file or folder, as it is or was on this computer')
    .option('--plan <plan>', 'only what this plan has backed up')
    .option('--to <destination>', 'only what this destination holds')
    .addHelpText(
      'after',
      `
The newest version comes first. What differs between versions is type, size, time of change, permissions or content.

Example:
  holdfast history ~/Documents/report.odt`,
    )
    .action((path: string, options: WhichOptions) =>
      run(command, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          const { output } = invocation;
          const state = await client.state();
          const wanted = { path: typedPath(path), ...whichOf(state, options) };
          const versions: PathVersion[] = [];
          for await (const page of pagesOf((cursor) => client.catalogue.versions({ ...wanted, ...(cursor ? { cursor } : {}) })))
            versions.push(...page.versions);
          if (output.json) for (const version of versions) output.object('version', entryFields(version));
          else if (versions.length > 0)
            output.lines(
              ...tableLines(
                columns,
                versions.map((version) => rowOf(version, state)),
              ),
            );
          else output.note(`The catalogue knows no snapshot that holds ${wanted.path}.`);
          const code = await tellWhatIsMissing(client, state, invocation);
          output.object('summary', { versions: versions.length });
          return code;
        }),
      ),
    );
}

const columns = [
  { title: 'changed' },
  { title: 'size', right: true },
  { title: 'first in' },
  { title: 'last in' },
  { title: 'snapshots', right: true },
  { title: 'plan' },
  { title: 'on' },
];

const rowOf = (
  { type, size, changed, first, last, snapshots, isCurrent, plan, host, destinations }: PathVersion,
  state: State,
): string[] => [
  formatMoment(changed),
  type === 'file' ? formatBytes(size) : kindWord(type),
  formatMoment(first.at),
  isCurrent ? 'the newest snapshot' : formatMoment(last.at),
  String(snapshots),
  planNamed(state, plan, host),
  coverageText(state, destinations, snapshots),
];
