/** search: files and folders by name, over all snapshots and destinations. */
import type { SearchHit } from '../../contract/catalogue.ts';
import { fail } from '../../contract/errors.ts';
import type { State } from '../../contract/state.ts';
import { counted, formatBytes, parseSize } from '../../platform/sizes.ts';
import { collect } from '../arguments.ts';
import { coverageText, entryFields, pagesOf, planNamed, tellWhatIsMissing, typedPath, type WhichOptions, whichOf } from '../catalogue.ts';
import { formatMoment, parseMoment } from '../dates.ts';
import { kindWord, typesOfWord } from '../entry-line.ts';
import { cancelledReading, type Invocation } from '../run-verb.ts';
import { withService } from '../service-session.ts';
import { tableLines } from '../table.ts';
import type { Verbs } from '../verbs.ts';

interface SearchOptions extends WhichOptions {
  readonly within?: string;
  readonly type?: readonly string[];
  readonly minSize?: string;
  readonly maxSize?: string;
  readonly newer?: string;
  readonly older?: string;
  readonly since?: string;
  readonly until?: string;
  readonly most: string;
}

export function addSearch({ program, run }: Verbs): void {
  const command = program
    .command('search')
    .description('search files and folders by name in all snapshots at once (asks the service)')
    .argument('<name>', 'a part of the name; with * or ? a pattern for the whole name')
    .option('--plan <plan>', 'only what this plan has backed up')
    .option('--to <destination>', 'only what this destination holds')
    .option('--within <folder>', 'only what lies, or lay, in this folder')
    .option('--type <type>', 'only file, folder, link, device, fifo or socket (may be repeated)', collect)
    .option('--min-size <size>', 'only files of at least this size, for example 500K or 2G')
    .option('--max-size <size>', 'only files of at most this size')
    .option('--newer <time>', 'only what changed at this time or later: 2026-01-31, "2026-01-31 18:00", or 7d for seven days ago')
    .option('--older <time>', 'only what changed at this time or earlier')
    .option('--since <time>', 'only in snapshots from this time on')
    .option('--until <time>', 'only in snapshots up to this time')
    .option('--most <count>', 'show no more than so many', '200')
    .addHelpText(
      'after',
      `
Capitals and small letters are the same. Each file comes once, however many snapshots hold it: see "holdfast history" for its versions.

Examples:
  holdfast search report
  holdfast search '*.jpg' --newer 30d --min-size 1M
  holdfast search budget --plan Documents --within ~/Documents`,
    )
    .action((name: string, options: SearchOptions) =>
      run(command, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          const { output } = invocation;
          const most = countOf(options.most);
          const state = await client.state();
          const request = { text: name, ...filtersOf(options, invocation), ...whichOf(state, options) };
          const hits: SearchHit[] = [];
          let isMore = false;
          for await (const page of pagesOf((cursor) => client.catalogue.search({ ...request, ...(cursor ? { cursor } : {}) }))) {
            hits.push(...page.hits);
            isMore = hits.length > most || (hits.length === most && page.next !== null);
            if (hits.length >= most) break;
          }
          const shown = hits.slice(0, most);
          if (output.json) for (const hit of shown) output.object('hit', entryFields(hit));
          else if (shown.length > 0)
            output.lines(
              ...tableLines(
                columns,
                shown.map((hit) => rowOf(hit, state)),
              ),
            );
          else output.note('Nothing of that name is in the catalogue.');
          if (isMore) output.note(`There may be more: these are the first ${counted(most, 'hit')}. See --most, or say more of the name.`);
          const code = await tellWhatIsMissing(client, state, invocation);
          output.object('summary', { hits: shown.length, isMore });
          return code;
        }),
      ),
    );
}

function countOf(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  return fail('bad-usage', { problem: `--most: “${text}” is no number of hits.`, guidance: 'Write for example --most 1000.' });
}

type Filters = Pick<
  Parameters<Parameters<Parameters<typeof withService>[1]>[0]['catalogue']['search']>[0],
  'types' | 'minSize' | 'maxSize' | 'changedFrom' | 'changedUntil' | 'from' | 'until' | 'within'
>;

function filtersOf({ type, minSize, maxSize, newer, older, since, until, within }: SearchOptions, { clock }: Invocation): Filters {
  const moment = (text: string, option: string): number => Number(parseMoment(text, option, clock) / 1_000_000n);
  return {
    ...(within === undefined ? {} : { within: typedPath(within) }),
    ...(type === undefined ? {} : { types: type.flatMap(typesOf) }),
    ...(minSize === undefined ? {} : { minSize: parseSize(minSize, '--min-size') }),
    ...(maxSize === undefined ? {} : { maxSize: parseSize(maxSize, '--max-size') }),
    ...(newer === undefined ? {} : { changedFrom: moment(newer, '--newer') }),
    ...(older === undefined ? {} : { changedUntil: moment(older, '--older') }),
    ...(since === undefined ? {} : { from: moment(since, '--since') }),
    ...(until === undefined ? {} : { until: moment(until, '--until') }),
  };
}

function typesOf(word: string): SearchHit['type'][] {
  const types = typesOfWord(word);
  if (types.length > 0) return types;
  return fail('bad-usage', {
    problem: `--type: there is no “${word}”.`,
    guidance: 'Choose from: file, folder, link, device, fifo, socket.',
  });
}

const columns = [
  { title: 'path' },
  { title: 'size', right: true },
  { title: 'changed' },
  { title: 'versions', right: true },
  { title: 'last in' },
  { title: 'plan' },
  { title: 'on' },
];

const rowOf = (hit: SearchHit, state: State): string[] => [
  hit.path,
  hit.type === 'file' ? formatBytes(hit.size) : kindWord(hit.type),
  formatMoment(hit.changed),
  String(hit.versions),
  hit.isCurrent ? 'the newest snapshot' : formatMoment(hit.last.at),
  planNamed(state, hit.plan, hit.host),
  coverageText(state, hit.destinations, hit.snapshots),
];
