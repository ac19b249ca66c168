/** serve: the service of this profile, in the foreground. */
import { constants, setPriority } from 'node:os';
import { Option } from 'commander';
import { systemDrives } from '../../platform/drives/drives.ts';
import { SystemKeychain } from '../../platform/keychain/keychain.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Invocation } from '../run-verb.ts';
import type { Verbs } from '../verbs.ts';
import { version } from '../version.ts';

interface ServeOptions {
  readonly secretsFile?: string;
}

const ended = 'The service has ended. Nothing runs by itself until it is started again.';
const secretsVariable = 'HOLDFAST_SECRETS_FILE';

export function addServe({ program, run }: Verbs): void {
  const command = program
    .command('serve')
    .description('run the service: plans run by themselves as long as it does')
    .addOption(
      new Option('--secrets-file <file>', 'keep passwords in this file, where there is no keychain (also in HOLDFAST_SECRETS_FILE)'),
    )
    .addHelpText(
      'after',
      `
One service runs for each profile (the folder that HOLDFAST_PROFILE names, else Holdfast's own data folder); "plan", "destination",
"run", "status" and "pause" talk to it. It ends with Ctrl-C: runs at work are interrupted and go on when it starts again.

Example:
  holdfast serve`,
    )
    .action((options: ServeOptions) =>
      run(command, { whenCancelled: ended }, async (invocation) => {
        await serve(options, invocation);
        return exitCodes.done;
      }),
    );
}

async function serve({ secretsFile }: ServeOptions, { env, output, control, clock, identity }: Invocation): Promise<void> {
  const [{ hostService }, { profileAt }, { SecretsFile }, { SecretsKeychain }, { readPower }] = await Promise.all([
    import('../../service/host.ts'),
    import('../../service/profile.ts'),
    import('../../service/secrets-file.ts'),
    import('../../service/secrets-keychain.ts'),
    import('../../service/machine/power-watch.ts'),
  ]);
  const profile = profileAt();
  const file = secretsFile ?? (env[secretsVariable] || undefined);
  let stop: () => void = () => {};
  const stopped = new Promise<void>((resolve) => (stop = resolve));
  const hosted = await hostService({
    profile,
    clock,
    identity,
    keeper: file === undefined ? new SecretsKeychain(new SystemKeychain({ platform: process.platform, env })) : new SecretsFile(file),
    drives: systemDrives(),
    readPower,
    version,
    onStop: stop,
    onNote: (text) => output.note(text),
    onNotice: (what, { message, guidance }) => {
      if (what === 'raised' || what === 'repeated') output.note(`${message} ${guidance}`);
      else if (what === 'solved') output.note(`Solved: ${message}`);
    },
  });
  if (hosted.service.state.settings().gentle) yieldToOthers();
  try {
    output.lines(`The service runs (process ${process.pid}). Its profile is ${profile.folder}.`);
    output.object('ready', { pid: process.pid, profile: profile.folder });
    control.signal.addEventListener('abort', stop, { once: true });
    await stopped;
  } finally {
    await hosted.close();
    output.lines(ended);
  }
}

/** Everything that this process starts from now on has the same priority; on Linux the disk follows it. A system that refuses changes nothing. */
function yieldToOthers(): void {
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // As it is.
  }
}
