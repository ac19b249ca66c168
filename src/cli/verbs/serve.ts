/** serve: the service of this profile, in the foreground. */
import { systemDrives } from '../../platform/drives/drives.ts';
import type { HostChannel } from '../../service/watchdog/messages.ts';
import { hostOfThisProcess } from '../../service/watchdog/node-child.ts';
import { SystemKeychain } from '../../platform/keychain/keychain.ts';
import { yieldToOthers } from '../../platform/priority.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Invocation } from '../run-verb.ts';
import { parseListen, type ServeOptions, secretsVariable, withServeOptions } from '../serve-options.ts';
import type { Verbs } from '../verbs.ts';
import { version } from '../version.ts';

const ended = 'The service has ended. Nothing runs by itself until it is started again.';

export function addServe({ program, run }: Verbs): void {
  const command = withServeOptions(program.command('serve'))
    .description('run the service: plans run by themselves as long as it does')
    .addHelpText(
      'after',
      `
One service runs for each profile (the folder that HOLDFAST_PROFILE names, else Holdfast's own data folder); "plan", "destination",
"run", "status" and "pause" talk to it. It ends with Ctrl-C: runs at work are interrupted and go on when it starts again.

With --port it prints an address for browsers of this computer. Whoever has that address can do all that you can; it is another one
each time. Browsers of other computers come in with --listen, over TLS, and after a login that "holdfast login add" has made.

Examples:
  holdfast serve
  holdfast serve --port 4711
  holdfast serve --listen 192.168.1.5 --tls-cert nas.pem --tls-key nas.key --host-name nas.home.example`,
    )
    .action((options: ServeOptions) =>
      run(command, { whenCancelled: ended }, async (invocation) => {
        const channel = hostOfThisProcess();
        // main.ts sees to it; what it could not read as this verb is this one all the same.
        if (!channel) return (await import('../host.ts')).carryService(process.argv.slice(2));
        await serve(options, channel, invocation);
        return exitCodes.done;
      }),
    );
}

async function serve(options: ServeOptions, channel: HostChannel, { env, output, control, clock, identity }: Invocation): Promise<void> {
  const [{ hostService }, { HostLink }, { profileAt }, { SecretsFile }, { SecretsKeychain }, { readPower }, { openBrowserHosts }] =
    await Promise.all([
      import('../../service/host.ts'),
      import('../../service/watchdog/host-link.ts'),
      import('../../service/profile.ts'),
      import('../../service/secrets-file.ts'),
      import('../../service/secrets-keychain.ts'),
      import('../../service/machine/power-watch.ts'),
      import('../../../main/headless/hosts.ts'),
    ]);
  const profile = profileAt(options.profile);
  const file = options.secretsFile ?? (env[secretsVariable] || undefined);
  const access = {
    port: options.port,
    listen: options.listen === undefined ? undefined : parseListen(options.listen),
    tlsCert: options.tlsCert,
    tlsKey: options.tlsKey,
    hostNames: options.hostName,
  };
  let addresses: readonly string[] = [];
  let stop: () => void = () => {};
  const stopped = new Promise<void>((resolve) => (stop = resolve));
  const onNote = (text: string): void => output.note(text);
  const stopByHost = (): void => {
    if (!output.json) output.note('Stopping… (again to stop at once)');
    stop();
  };
  const host = new HostLink({ channel, clock, profile: profile.folder, onStop: stopByHost });
  const hosted = await hostService({
    profile,
    clock,
    host,
    identity,
    keeper: file === undefined ? new SecretsKeychain(new SystemKeychain({ platform: process.platform, env })) : new SecretsFile(file),
    drives: systemDrives(),
    readPower,
    version,
    atLogin: options.atLogin,
    onStop: stop,
    onNote,
    onNotice: (what, { message, guidance }) => {
      if (what === 'raised' || what === 'repeated') output.note(`${message} ${guidance}`);
      else if (what === 'solved') output.note(`Solved: ${message}`);
    },
    openHosts: async (parts) => {
      const onDefect = (error: Error): void => output.note(error.stack ?? error.message);
      const opened = await openBrowserHosts(access, parts, { clock, onDefect });
      addresses = opened.addresses;
      return opened;
    },
  });
  if (hosted.service.state.settings().gentle) yieldToOthers();
  try {
    output.lines(`The service runs (process ${process.pid}). Its profile is ${profile.folder}.`);
    for (const address of addresses) output.lines(`In a browser: ${address}`);
    output.object('ready', { pid: process.pid, profile: profile.folder, addresses });
    control.signal.addEventListener('abort', stop, { once: true });
    await stopped;
  } finally {
    await hosted.close();
    output.lines(ended);
  }
}
