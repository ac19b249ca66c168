/** service install and uninstall: whether the system starts the service by itself. */
import type { Command } from 'commander';
import { fail } from '../../contract/errors.ts';
import { type Autostart, autostartOf, runProgram } from '../../platform/autostart/autostart.ts';
import { systemSurroundings } from '../../platform/host.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Invocation } from '../run-verb.ts';
import { parseListen, type ServeOptions, secretsVariable, serveWords, withServeOptions } from '../serve-options.ts';
import { commandLine } from '../start/next-steps.ts';
import type { Verbs } from '../verbs.ts';

export function addServiceInstall(group: Command, run: Verbs['run']): void {
  const install = withServeOptions(group.command('install'))
    .description('let the system start the service whenever you log in; takes the options of "serve"')
    .addHelpText(
      'after',
      `
It becomes a unit of your own systemd, an agent of launchd on macOS, or a scheduled task on Windows, and starts at once.

Examples:
  holdfast service install
  holdfast service install --at-login --port 4711`,
    )
    .action((options: ServeOptions) =>
      run(install, { whenCancelled: 'Cancelled. See with "holdfast status" whether the service runs.' }, async (invocation) => {
        await installService(options, invocation);
        return exitCodes.done;
      }),
    );

  const uninstall = group
    .command('uninstall')
    .description('take back what "install" has done; the service ends')
    .addHelpText('after', '\nExample:\n  holdfast service uninstall')
    .action(() =>
      run(uninstall, { whenCancelled: 'Cancelled. See with "holdfast status" whether the service runs.' }, async ({ env, output }) => {
        const was = await autostart(env).uninstall();
        output.lines(
          was ? 'The service has ended, and nothing starts it any more.' : 'The service was not installed. Nothing was changed.',
        );
        output.object('summary', { uninstalled: was });
        return exitCodes.done;
      }),
    );
}

function autostart(env: NodeJS.ProcessEnv): Autostart {
  const { platform, home } = systemSurroundings();
  if (home === '') fail('home-unknown');
  const user = [env.USERDOMAIN, env.USERNAME].filter((part) => part).join('\\');
  return autostartOf({ platform, home, env, uid: process.getuid?.() ?? 0, user, run: runProgram });
}

async function installService(options: ServeOptions, { env, output }: Invocation): Promise<void> {
  const [{ attach }, { profileAt }] = await Promise.all([import('../../service/rpc/client.ts'), import('../../service/profile.ts')]);
  // What would make it fail each time.
  if (options.listen !== undefined) {
    const { address, port } = parseListen(options.listen);
    if (options.tlsCert === undefined || options.tlsKey === undefined) fail('listen-without-tls', { address: `${address}:${port}` });
  }
  const profile = profileAt(options.profile);
  const secretsFile = options.secretsFile ?? (env[secretsVariable] || undefined);
  const words = serveWords({ ...options, profile: profile.folder, ...(secretsFile === undefined ? {} : { secretsFile }) });
  const running = await attach(profile).catch(() => undefined);
  running?.close();
  const { file, install } = autostart(env);
  await install([...commandLine(), ...words]);
  output.lines(`The service is installed (${file}) and starts whenever you log in.`);
  if (running)
    output.note(
      `A service runs already (process ${running.pid}). Unless that was the installed one, end it with Ctrl-C: the new one then takes over by itself.`,
    );
  if (process.platform === 'linux')
    output.note('It ends when you log out. To let it run from the start of the computer on: "loginctl enable-linger".');
  output.object('summary', { installed: file });
}
