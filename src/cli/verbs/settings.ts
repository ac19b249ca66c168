/** settings: what holds for all plans of the service. */
import { fail } from '../../contract/errors.ts';
import type { Settings } from '../../contract/settings.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { cancelledReading, type Invocation } from '../run-verb.ts';
import { withService } from '../service-session.ts';
import { tableLines } from '../table.ts';
import type { Verbs } from '../verbs.ts';

/** By the name that a person types. */
const names = {
  'limit-upload': ['limitUpload', 'bytes a second to destinations behind a network: 500K, 08:00-18:00=500K,2M, or off'],
  'limit-download': ['limitDownload', 'the same for what comes from there'],
  threads: ['threads', 'worker threads of a run, or auto: one for each core'],
  gentle: ['gentle', 'whether runs yield to other programs, from the next start of the service: on or off'],
  notifications: ['notifications', 'on or off'],
  language: ['language', 'system, en or zh-CN'],
  theme: ['theme', 'system, light or dark'],
  'keep-runs-days': ['keepRunsDays', 'days for which runs and their logs are kept at least'],
} as const satisfies Readonly<Record<string, readonly [keyof Settings, string]>>;

type Name = keyof typeof names;

export function addSettings({ program, run }: Verbs): void {
  const group = program
    .command('settings')
    .description('show and change what holds for all plans of the service')
    .addHelpText(
      'after',
      `
Settings:
${Object.entries(names)
  .map(([name, [, meaning]]) => `  ${name.padEnd(15)} ${meaning}`)
  .join('\n')}

Examples:
  holdfast settings list
  holdfast settings set limit-upload 08:00-18:00=500K,2M`,
    );
  const list = group
    .command('list')
    .description('list the settings')
    .addHelpText('after', '\nExample:\n  holdfast settings list')
    .action(() =>
      run(list, cancelledReading, (invocation) =>
        withService(invocation, async (client) => tell((await client.state()).settings, invocation)),
      ),
    );
  const set = group
    .command('set')
    .description('change a setting')
    .argument('<name>')
    .argument('<value>')
    .addHelpText('after', '\nExample:\n  holdfast settings set threads 2')
    .action((name: string, value: string) =>
      run(set, cancelledReading, (invocation) => {
        if (!Object.hasOwn(names, name))
          return fail('bad-usage', {
            problem: `There is no setting “${name}”.`,
            guidance: `Choose from: ${Object.keys(names).join(', ')}.`,
          });
        const [field] = names[name as Name];
        return withService(invocation, async (client) =>
          tell(await client.settings.change({ [field]: valueOf(field, value) }), invocation),
        );
      }),
    );
}

/** The service says what a setting may be; here only what is typed becomes what is meant. */
function valueOf(field: keyof Settings, text: string): string | number | boolean | null {
  switch (field) {
    case 'gentle':
    case 'notifications':
      return text === 'on' ? true : text === 'off' ? false : text;
    case 'limitUpload':
    case 'limitDownload':
      return text === 'off' ? null : text;
    case 'threads':
      return text === 'auto' ? null : Number(text);
    case 'keepRunsDays':
      return Number(text);
    case 'language':
    case 'theme':
      return text;
  }
}

function tell(settings: Settings, { output }: Invocation): ExitCode {
  const rows = Object.entries(names).map(([name, [field]]) => [name, wordOf(field, settings[field])]);
  output.lines(...tableLines([{ title: 'Setting' }, { title: 'Value' }], rows));
  output.object('settings', settings);
  return exitCodes.done;
}

function wordOf(field: keyof Settings, value: Settings[keyof Settings]): string {
  if (value === null) return field === 'threads' ? 'auto' : 'off';
  return value === true ? 'on' : value === false ? 'off' : String(value);
}
