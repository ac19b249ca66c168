/** service: the service as a program of this computer. */
import { hasCode } from '../../contract/errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { cancelledReading } from '../run-verb.ts';
import { withService } from '../service-session.ts';
import type { Verbs } from '../verbs.ts';
import { addServiceInstall } from './service-install.ts';

export function addService({ program, run }: Verbs): void {
  const group = program
    .command('service')
    .description('let the system start the service by itself, or end the one that runs')
    .addHelpText('after', '\nExamples:\n  holdfast service install\n  holdfast service stop');
  addServiceInstall(group, run);
  const stop = group
    .command('stop')
    .description('end the service; runs at work are interrupted, and go on when it starts again')
    .addHelpText('after', '\nExample:\n  holdfast service stop')
    .action(() =>
      run(stop, cancelledReading, (invocation) =>
        withService(invocation, async (client, { closed, pid }) => {
          // It may end before its answer has come.
          await client.service.stop().catch((error: unknown) => {
            if (!hasCode(error, 'service-lost')) throw error;
          });
          await closed;
          invocation.output.lines('The service has ended. Nothing runs by itself until it is started again.');
          invocation.output.object('summary', { stopped: pid });
          return exitCodes.done;
        }),
      ),
    );
}
