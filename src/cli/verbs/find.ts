/** find: where files and folders are in the snapshots, and which of them need some blobs. */
import { fail } from '../../contract/errors.ts';
import { type FindBatch, findInSnapshots, type FindRequest } from '../../engine/find/find.ts';
import { displayPath } from '../../platform/byte-paths.ts';
import type { NodeType } from '../../repository/tree/node.ts';
import { collect } from '../arguments.ts';
import { parseMoment } from '../dates.ts';
import { entryObject, longLine, shortLine, typesOfWord } from '../entry-line.ts';
import { exitCodes } from '../exit-codes.ts';
import { type Output, pathFields } from '../output.ts';
import { cancelledReading, type Invocation } from '../run-verb.ts';
import { withRepository } from '../session.ts';
import { counted, parseSize } from '../../platform/sizes.ts';
import { addSnapshotFilter, chosenSnapshots, type SnapshotFilter, snapshotTitle } from '../snapshot-filter.ts';
import type { Verbs } from '../verbs.ts';

interface FindOptions extends SnapshotFilter {
  readonly snapshot?: readonly string[];
  readonly type?: readonly string[];
  readonly minSize?: string;
  readonly maxSize?: string;
  readonly newer?: string;
  readonly older?: string;
  readonly ignoreCase?: boolean;
  readonly contents: boolean;
  readonly reverse?: boolean;
  readonly long?: boolean;
  readonly blob?: boolean;
  readonly tree?: boolean;
  readonly pack?: boolean;
}

export function addFind({ program, run }: Verbs): void {
  const command = program
    .command('find')
    .description('find files and folders in the snapshots')
    .argument('[pattern...]', 'names such as report.txt or *.txt, or paths; with --blob, --tree or --pack, IDs')
    .option('-s, --snapshot <id>', 'only in this snapshot (may be repeated; default: all)', collect);
  addSnapshotFilter(command)
    .option('--type <type>', 'only file, folder, link, device, fifo or socket (may be repeated)', collect)
    .option('--min-size <size>', 'only files of at least this size, for example 500K or 2G')
    .option('--max-size <size>', 'only files of at most this size')
    .option('--newer <time>', 'only what changed at this time or later: 2026-01-31, "2026-01-31 18:00", or 7d for seven days ago')
    .option('--older <time>', 'only what changed at this time or earlier')
    .option('-i, --ignore-case', 'take capitals and small letters for the same')
    .option('--no-contents', 'of a folder that matches, leave out what is in it')
    .option('-R, --reverse', 'the newest snapshot first')
    .option('-l, --long', 'with permissions, owner, size and time')
    .option('--blob', 'find the files that need these pieces of data')
    .option('--tree', 'find the folders that have these listings')
    .option('--pack', 'find the files and folders that need anything in these packs')
    .addHelpText(
      'after',
      `
In a pattern * is any run of characters, ? any one, [a-z] one of a set, and a backslash takes the next character as it is. A
pattern with slashes is about the folders on the way, too; there ** is any number of them, and one that begins with a slash
begins at the root. What lies in a folder that matches is found as well. A file is listed for every snapshot that has it.
Without a pattern everything of the type, size or time is found.

Examples:
  holdfast --repo /media/disk/backup find report.txt
  holdfast --repo /media/disk/backup find '*.jpg' '*.jpeg' --ignore-case --newer 30d --min-size 1M
  holdfast --repo /media/disk/backup find --min-size 1G --snapshot latest
  holdfast --repo /media/disk/backup find '/home/*/Documents/**/draft*' --snapshot latest
  holdfast --repo /media/disk/backup find --pack 1a2b3c4d`,
    )
    .action((patterns: string[], options: FindOptions) =>
      run(command, cancelledReading, async (invocation) => {
        const { output } = invocation;
        const query = queryOf(patterns, options, invocation);
        return withRepository(invocation, async (repository) => {
          const { snapshots, damaged } = await chosenSnapshots(repository, options.snapshot ?? [], options, output);
          const ordered = options.reverse ? [...snapshots].reverse() : snapshots;
          const printer = new Printer(output, options.long === true);
          const {
            hits,
            snapshots: found,
            problems,
            damage,
          } = await findInSnapshots(repository, { snapshots: ordered, query }, invocation.options, (batch) => printer.print(batch));
          output.endProgress();
          // Where blobs are looked for, what the index does not tell is not found.
          const isLacking = problems > 0 || (query.kind === 'blobs' && damage.length > 0);
          if (isLacking) for (const error of damage) output.problem({ path: undefined, kind: error.code, detail: error.message });
          const searched = counted(snapshots.length, 'snapshot');
          if (!output.json)
            output.note(hits === 0 ? `Nothing was found in ${searched}.` : `${counted(hits, 'hit')} in ${found} of ${searched}.`);
          output.object('summary', { hits, snapshots: found, searchedSnapshots: snapshots.length, unreadableFolders: problems, damaged });
          return isLacking || damaged > 0 ? exitCodes.incomplete : exitCodes.done;
        });
      }),
    );
}

function queryOf(patterns: readonly string[], options: FindOptions, { clock }: Invocation): FindRequest['query'] {
  const kinds = (['blob', 'tree', 'pack'] as const).filter((kind) => options[kind]);
  if (kinds.length > 1)
    return fail('bad-usage', { problem: 'IDs can be of one kind at a time.', guidance: 'Choose --blob, --tree or --pack.' });
  const [kind] = kinds;
  const { minSize, maxSize, newer, older } = options;
  const isNamed = patterns.length > 0;
  if (!isNamed && (kind !== undefined || [options.type, minSize, maxSize, newer, older].every((value) => value === undefined)))
    return fail('bad-usage', {
      problem: 'It is not said what to look for.',
      guidance: `Name ${kind === undefined ? 'a pattern, or give --type, --min-size, --max-size, --newer or --older' : 'an ID'}.`,
    });
  if (kind === undefined) {
    return {
      kind: 'entries',
      patterns: isNamed ? patterns : ['*'],
      ignoreCase: options.ignoreCase ?? false,
      contents: options.contents,
      types: options.type?.flatMap(parseType),
      minSize: minSize === undefined ? undefined : parseSize(minSize, '--min-size'),
      maxSize: maxSize === undefined ? undefined : parseSize(maxSize, '--max-size'),
      newerNs: newer === undefined ? undefined : parseMoment(newer, '--newer', clock),
      olderNs: older === undefined ? undefined : parseMoment(older, '--older', clock),
    };
  }
  const others = [minSize, maxSize, newer, older, options.type, options.ignoreCase, options.long, options.contents ? undefined : false];
  if (others.some((value) => value !== undefined))
    return fail('bad-usage', {
      problem: `--${kind} looks for nothing but IDs.`,
      guidance: 'Leave out what is about names, types, sizes and times.',
    });
  for (const id of patterns) {
    if (!/^[0-9a-f]{1,64}$/.test(id))
      fail('bad-usage', { problem: `“${id}” is not the beginning of an ID.`, guidance: 'IDs are hexadecimal digits: 0–9 and a–f.' });
  }
  return { kind: 'blobs', of: kind === 'blob' ? 'data' : kind, ids: patterns };
}

function parseType(word: string): NodeType[] {
  const types = typesOfWord(word);
  if (types.length > 0) return types;
  return fail('bad-usage', {
    problem: `--type: there is no “${word}”.`,
    guidance: 'Choose from: file, folder, link, device, fifo, socket.',
  });
}

/** Puts hits below the snapshots that they are in. */
class Printer {
  readonly #output: Output;
  readonly #long: boolean;
  #snapshot = '';

  constructor(output: Output, long: boolean) {
    this.#output = output;
    this.#long = long;
  }

  async print({ snapshot, entries, blobs, problems }: FindBatch): Promise<void> {
    const output = this.#output;
    if (snapshot.id !== this.#snapshot) {
      if (output.json) output.object('snapshot', snapshot);
      else await output.list([...(this.#snapshot === '' ? [] : ['']), `In ${snapshotTitle(snapshot)}:`]);
      this.#snapshot = snapshot.id;
    }
    if (output.json) {
      await output.objects(
        'entry',
        entries.map((entry) => ({ snapshot: snapshot.id, ...entryObject(entry) })),
      );
      await output.objects(
        'blob',
        blobs.map(({ type, blob, parent, path }) => ({ snapshot: snapshot.id, kind: type, blob, ...pathFields(path), parentTree: parent })),
      );
    } else {
      await output.list(entries.map(this.#long ? longLine : shortLine));
      await output.list(
        blobs.map(({ type, blob, path }) => `${type === 'tree' ? 'folder listing' : 'data'} ${blob.slice(0, 8)}  ${displayPath(path)}`),
      );
    }
    for (const { path, error } of problems) {
      const detail = `${error.message} (snapshot ${snapshot.id.slice(0, 8)})`;
      output.problem({ path, kind: error.code, detail });
    }
  }
}
