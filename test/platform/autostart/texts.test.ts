import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { launchAgent } from '../../../src/platform/autostart/launch-agent.ts';
import { scheduledTask, windowsWord } from '../../../src/platform/autostart/scheduled-task.ts';
import { systemdUnit } from '../../../src/platform/autostart/systemd-unit.ts';
import { scratch } from '../../support/tree-literal.ts';

const nasty = [
  'plain',
  'a b',
  '50%h',
  '$HOME ${HOME} $$',
  'quo"te\'s',
  'back\\slash\\',
  'tab\tnew\nline',
  'ümläut 简',
  ';',
  '&<>',
  '',
  '-x',
  '@:+!',
];

/** Python’s own reader of XML is the judge. */
const readXml = (script: string, text: string | Buffer): string[] =>
  JSON.parse(
    execFileSync(
      'python3',
      ['-c', `import sys,json,plistlib\nimport xml.etree.ElementTree as E\ndata=sys.stdin.buffer.read()\n${script}`],
      { input: text, encoding: 'utf8' },
    ),
  ) as string[];

describe('the unit of systemd', () => {
  test('reads like this', () => {
    expect(systemdUnit(['/opt/node', '/opt/holdfast/dist/cli.js', 'serve', '--at-login'])).toMatchInlineSnapshot(`
      "[Unit]
      Description=Holdfast backups
      Documentation=man:holdfast(1)

      [Service]
      ExecStart="/opt/node" "/opt/holdfast/dist/cli.js" "serve" "--at-login"
      Restart=on-failure
      RestartSec=30
      # Ended by a signal, as systemd itself ends it.
      SuccessExitStatus=130
      # The host sees to a service that is out of memory; by itself systemd would end both.
      OOMPolicy=continue

      [Install]
      WantedBy=default.target
      "
    `);
  });

  test('quotes whatever a path may hold', () => {
    const start = (...words: string[]): string => /^ExecStart=(.*)$/m.exec(systemdUnit(words))![1];
    expect(start('/a b%/$n', 'a b%', '$x', '"\\')).toBe(String.raw`"/a b%%/$n" "a b%%" "$$x" "\"\\"`);
    expect(start("/it's", 'x\ny')).toBe(String.raw`"/bin/sh" "-c" "exec \"$$0\" \"$$@\"" "/it's" "x\ny"`);
  });

  /** What systemd itself says of a unit. */
  const verify = (folder: string, text: string): { code: number | null; said: string } => {
    const unit = join(folder, 'holdfast.service');
    writeFileSync(unit, text);
    const { status, stderr, stdout } = spawnSync('systemd-analyze', ['verify', '--user', '--man=no', unit], {
      encoding: 'utf8',
      env: { ...process.env, XDG_RUNTIME_DIR: folder, HOME: folder },
    });
    const lines = `${stdout}${stderr}`.split('\n');
    return { code: status, said: lines.filter((line) => line.includes('holdfast')).join('\n') };
  };

  test.each(['node', 'a b', '50%h $HOME', 'it\'s "quoted" \\ so', 'ümläut 简', 'two\nlines'])(
    'with a program in a folder named %j is taken by systemd itself',
    (name) => {
      const folder = scratch();
      const program = join(folder, name, 'node');
      mkdirSync(dirname(program));
      writeFileSync(program, '#!/bin/sh\n');
      chmodSync(program, 0o755);
      expect(verify(folder, systemdUnit([program, ...nasty]))).toEqual({ code: 0, said: '' });
    },
  );

  test('is not taken by it where the program is missing, or the quotes are wrong', () => {
    const folder = scratch();
    expect(verify(folder, systemdUnit([join(folder, 'a b%h')])).said).toContain('a b%h');
    expect(verify(folder, systemdUnit(['/bin/sh']).replace('"/bin/sh"', '"/bin/sh" "open')).said).toContain('holdfast.service:6');
  });
});

test('the agent of launchd holds every word as it is', () => {
  const words = ['/opt/node', ...nasty.filter((word) => !word.includes('\n'))];
  expect(readXml('print(json.dumps(plistlib.loads(data)["ProgramArguments"]))', launchAgent(words))).toEqual(words);
  // Each with the type that launchd.plist(5) wants.
  expect(readXml('print(json.dumps(plistlib.loads(data)))', launchAgent(['/opt/node']))).toEqual({
    Label: 'holdfast.service',
    ProgramArguments: ['/opt/node'],
    RunAtLoad: true,
    KeepAlive: { SuccessfulExit: false },
    ThrottleInterval: 30,
  });
  expect(launchAgent(['/opt/node', 'serve'])).toMatchInlineSnapshot(`
    "<?xml version="1.0" encoding="UTF-8"?>
    <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
    <plist version="1.0">
    <dict>
      <key>Label</key>
      <string>holdfast.service</string>
      <key>ProgramArguments</key>
      <array>
        <string>/opt/node</string>
        <string>serve</string>
      </array>
      <key>RunAtLoad</key>
      <true/>
      <key>KeepAlive</key>
      <dict>
        <key>SuccessfulExit</key>
        <false/>
      </dict>
      <key>ThrottleInterval</key>
      <integer>30</integer>
    </dict>
    </plist>
    "
  `);
});

describe('the task of Windows', () => {
  test('holds its command line as it is', () => {
    const [line, user] = readXml(
      'r=E.fromstring(data)\nn="{http://schemas.microsoft.com/windows/2004/02/mit/task}"\nprint(json.dumps([r.find(f".//{n}Arguments").text, r.find(f".//{n}UserId").text]))',
      Buffer.from(`\uFEFF${scheduledTask(['C:\\Program Files\\node.exe', 'C:\\a & b\\cli.js', 'serve'], 'PC\\Jürgen & Co')}`, 'utf16le'),
    );
    expect(line).toBe('--headless "C:\\Program Files\\node.exe" "C:\\a & b\\cli.js" serve');
    expect(user).toBe('PC\\Jürgen & Co');
    expect(scheduledTask(['C:\\node.exe', 'serve'], 'PC\\u')).toMatchInlineSnapshot(`
      "<?xml version="1.0" encoding="UTF-16"?>
      <Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
        <RegistrationInfo>
          <Description>Holdfast backups</Description>
        </RegistrationInfo>
        <Triggers>
          <LogonTrigger>
            <Enabled>true</Enabled>
            <UserId>PC\\u</UserId>
          </LogonTrigger>
        </Triggers>
        <Principals>
          <Principal id="Author">
            <UserId>PC\\u</UserId>
            <LogonType>InteractiveToken</LogonType>
            <RunLevel>LeastPrivilege</RunLevel>
          </Principal>
        </Principals>
        <Settings>
          <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
          <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
          <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
          <StartWhenAvailable>true</StartWhenAvailable>
          <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
          <RestartOnFailure>
            <Interval>PT1M</Interval>
            <Count>255</Count>
          </RestartOnFailure>
        </Settings>
        <Actions Context="Author">
          <Exec>
            <Command>conhost.exe</Command>
            <Arguments>--headless C:\\node.exe serve</Arguments>
          </Exec>
        </Actions>
      </Task>
      "
    `);
  });

  // From the documentation of CommandLineToArgvW and the C runtime.
  test.each([
    ['plain', 'plain'],
    ['', '""'],
    ['a b', '"a b"'],
    ['C:\\x\\', 'C:\\x\\'],
    ['C:\\a b\\', '"C:\\a b\\\\"'],
    ['say "hi"', '"say \\"hi\\""'],
    ['a\\"b', '"a\\\\\\"b"'],
    ['a\\b c', '"a\\b c"'],
  ])('%j is written %s', (word, line) => expect(windowsWord(word)).toBe(line));
});

test.each(['\0', '\x1b', '\uFFFE', '\uD800'])('what XML cannot hold (%j) is refused', (character) => {
  for (const write of [launchAgent, (words: string[]) => scheduledTask(words, 'PC\\u')]) {
    expect(() => write(['/opt/node', `a${character}b`])).toThrow(expect.objectContaining({ code: 'autostart-failed' }));
  }
});
