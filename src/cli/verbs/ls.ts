/** ls: shows what a snapshot holds. */
import { listSnapshot } from '../../engine/ls.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import { parsePlace } from '../arguments.ts';
import { formatTimeText } from '../dates.ts';
import { entryObject, longLine, shortLine } from '../entry-line.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Verbs } from '../verbs.ts';
import { cancelledReading } from '../run-verb.ts';
import { withRepository } from '../session.ts';

interface LsOptions {
  readonly long?: boolean;
  readonly recursive: boolean;
}

export function addLs({ program, run }: Verbs): void {
  program
    .command('ls')
    .description('list what a snapshot holds')
    .argument('<snapshot[:path]>', 'an ID, the beginning of one or "latest"; with a path only what is there')
    .option('-l, --long', 'with permissions, owner, size and time')
    .option('-R, --recursive', 'with everything in subfolders (that is so unless --no-recursive is given)', true)
    .option('--no-recursive', 'only what is in the folder itself')
    .addHelpText(
      'after',
      `
Each entry takes one line: characters that a terminal would act on are written as \\n or \\x1b, bytes that are not UTF-8 as \\xNN.
With --json the exact bytes of such a name are in pathBytes (base64).

Examples:
  holdfast --repo /media/disk/backup ls latest
  holdfast --repo /media/disk/backup ls --long --no-recursive latest:/home/me/Documents`,
    )
    .action((text: string, { long, recursive }: LsOptions, command) =>
      run(command, cancelledReading, async (invocation) => {
        const { snapshot: wanted, path } = parsePlace(text);
        const { output, options } = invocation;
        return withRepository(
          invocation,
          async (repository) => {
            const find = async (): Promise<Snapshot> => {
              const snapshot = await repository.findSnapshot(wanted);
              output.object('snapshot', snapshot);
              if (long)
                output.note(
                  `Snapshot ${snapshot.id.slice(0, 8)} of ${snapshot.hostname ?? 'an unknown computer'}, ${formatTimeText(snapshot.time)}`,
                );
              return snapshot;
            };
            const snapshot = find();
            const { entries, problems, damage } = await listSnapshot(repository, { snapshot, path, recursive }, options, (found) =>
              output.json ? output.objects('entry', found.map(entryObject)) : output.list(found.map(long ? longLine : shortLine)),
            );
            for (const { path: folder, error } of problems) output.problem({ path: folder, kind: error.code, detail: error.message });
            if (problems.length > 0)
              for (const error of damage) output.problem({ path: undefined, kind: error.code, detail: error.message });
            output.object('summary', { snapshot: (await snapshot).id, entries, unreadableFolders: problems.length });
            return problems.length > 0 ? exitCodes.incomplete : exitCodes.done;
          },
          { readAhead: 'far' },
        );
      }),
    );
}
