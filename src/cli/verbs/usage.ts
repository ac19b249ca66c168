/** usage: what takes the space in a folder of a snapshot. */
import type { CatalogueEntry } from '../../contract/catalogue.ts';
import { fail } from '../../contract/errors.ts';
import { counted, formatBytes } from '../../platform/sizes.ts';
import type { ServiceClient } from '../../service/rpc/client.ts';
import { entryFields, pagesOf, tellWhatIsMissing, typedPath, type WhichOptions, whichOf } from '../catalogue.ts';
import { formatMoment } from '../dates.ts';
import { cancelledReading } from '../run-verb.ts';
import { withService } from '../service-session.ts';
import { tableLines } from '../table.ts';
import type { Verbs } from '../verbs.ts';

interface UsageOptions extends WhichOptions {
  readonly snapshot: string;
}

export function addUsage({ program, run }: Verbs): void {
  const command = program
    .command('usage')
    .description('show what takes the space in a folder of a snapshot, largest first (asks the service)')
    .argument('[folder]', 'the folder, as it is or was on this computer (default: all of the snapshot)')
    .option('-s, --snapshot <id>', 'the snapshot, or the beginning of its ID', 'latest')
    .option('--plan <plan>', 'the latest of this plan')
    .option('--to <destination>', 'the latest on this destination')
    .addHelpText(
      'after',
      `
Sizes are those of the files, as a restore writes them. The latest snapshot is the newest that holds the folder.

Examples:
  holdfast usage
  holdfast usage ~/Pictures --plan Pictures`,
    )
    .action((folder: string | undefined, options: UsageOptions) =>
      run(command, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          const { output } = invocation;
          const state = await client.state();
          const path = folder === undefined ? '/' : typedPath(folder);
          const snapshot = await snapshotFor(client, options.snapshot, path, whichOf(state, options));
          const { total, entries } = await client.catalogue.usage({ snapshot: snapshot.snapshot, path, limit: 1000 });
          const sum = total
            ? `${formatBytes(total.bytes)} in ${counted(total.files, 'file')}`
            : 'not known, for some folders could not be read';
          output.lines(`${path} in snapshot ${snapshot.snapshot.slice(0, 8)} of ${formatMoment(snapshot.at)}: ${sum}`, '');
          output.lines(
            ...tableLines([{ title: 'size', right: true }, { title: 'files', right: true }, { title: 'path' }], entries.map(rowOf)),
          );
          for (const entry of entries) output.object('entry', entryFields(entry));
          const code = await tellWhatIsMissing(client, state, invocation);
          output.object('summary', { snapshot: snapshot.snapshot, path, total });
          return code;
        }),
      ),
    );
}

const rowOf = ({ path, type, size, total }: CatalogueEntry): string[] => [
  type === 'dir' ? (total ? formatBytes(total.bytes) : '?') : formatBytes(size),
  type === 'dir' ? (total ? String(total.files) : '?') : '1',
  type === 'dir' ? `${path}/` : path,
];

/** Throws `snapshot-not-found`, `snapshot-ambiguous`, `snapshot-path-not-found`. */
async function snapshotFor(
  client: ServiceClient,
  wanted: string,
  path: string,
  which: { plan?: string; destination?: string },
): Promise<{ snapshot: string; at: number }> {
  if (wanted === 'latest') {
    const { snapshots } = await (path === '/'
      ? client.catalogue.snapshots({ ...which, limit: 1 })
      : client.catalogue.holding({ path, ...which, limit: 1 }));
    if (snapshots[0]) return snapshots[0];
    return path === '/' ? fail('snapshot-not-found', { snapshot: wanted }) : fail('snapshot-path-not-found', { path, snapshot: wanted });
  }
  const found: { snapshot: string; at: number }[] = [];
  for await (const { snapshots } of pagesOf((cursor) => client.catalogue.snapshots({ ...which, ...(cursor ? { cursor } : {}) })))
    found.push(
      ...snapshots.filter((each) => [each.snapshot, ...each.holders.map((holder) => holder.snapshot)].some((id) => id.startsWith(wanted))),
    );
  if (found.length > 1) return fail('snapshot-ambiguous', { snapshot: wanted });
  return found[0] ?? fail('snapshot-not-found', { snapshot: wanted });
}
