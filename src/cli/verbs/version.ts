/** version: which Holdfast this is. */
import { exitCodes } from '../exit-codes.ts';
import type { Verbs } from '../verbs.ts';
import { cancelledReading } from '../run-verb.ts';
import { version } from '../version.ts';

export function addVersion({ program, run }: Verbs): void {
  program
    .command('version')
    .description('say which Holdfast this is')
    .addHelpText('after', '\nExample:\n  holdfast version')
    .action((_, command) =>
      run(command, cancelledReading, async ({ output }) => {
        output.lines(`holdfast ${version}, for repositories of restic's format version 2, on Node ${process.versions.node}`);
        output.object('summary', { version, repositoryVersion: 2, node: process.versions.node });
        return exitCodes.done;
      }),
    );
}
