/** dump: writes the content of a file of a snapshot to standard output. */
import { fail } from '../../contract/errors.ts';
import { dumpFile } from '../../engine/dump.ts';
import { parsePlace } from '../arguments.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Verbs } from '../verbs.ts';
import { cancelledReading } from '../run-verb.ts';
import { withRepository } from '../session.ts';

export function addDump({ program, run }: Verbs): void {
  program
    .command('dump')
    .description('write the content of a file to standard output')
    .argument('<snapshot:path>', 'the file, by its full path in the snapshot')
    .addHelpText(
      'after',
      `
Every byte is verified before it is written. If a part of the file is damaged, what comes before it is written and the exit
code is 1.

Examples:
  holdfast --repo /media/disk/backup dump latest:/home/me/notes.txt
  holdfast --repo /media/disk/backup dump 1a2b3c:/home/me/photo.jpg > photo.jpg`,
    )
    .action((text: string, _, command) =>
      run(command, cancelledReading, async (invocation) => {
        const { output, options } = invocation;
        const { snapshot: wanted, path } = parsePlace(text);
        if (path === undefined) {
          return fail('bad-usage', {
            problem: 'It is not said which file of the snapshot is wanted.',
            guidance: 'Put its path behind a colon, as in latest:/home/me/notes.txt.',
          });
        }
        if (output.json)
          return fail('bad-usage', { problem: "A file's content cannot be written as JSON.", guidance: 'Leave --json out.' });
        return withRepository(
          invocation,
          async (repository) => {
            const snapshot = await repository.findSnapshot(wanted);
            await dumpFile(repository, { snapshot, path }, options, (piece) => output.stdout.send(piece));
            return exitCodes.done;
          },
          { readAhead: 'far' },
        );
      }),
    );
}
