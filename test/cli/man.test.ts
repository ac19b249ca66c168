import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { beforeAll, describe, expect, test } from 'vitest';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { makeProgram } from '../../src/cli/program.ts';
import { version } from '../../src/cli/version.ts';
import { cliProgram, holdfast } from '../support/cli.ts';
import { onTerminal } from '../support/terminal.ts';
import { sharedScratch } from '../support/tree-literal.ts';

const program = await makeProgram(async () => {});
const file = join(sharedScratch('man'), 'holdfast.1');
let page: string;
/** As a reader sees it, without bold and italics, on endless lines. */
let text: string;

function run(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C.UTF-8', ...env } });
  return { status, stdout, stderr };
}

beforeAll(async () => {
  const { code, stdout, stderr } = await holdfast(['man']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  page = stdout;
  writeFileSync(file, page);
  const { stdout: shown } = run('groff', ['-man', '-Tutf8', '-rLL=5000n', '-P-c', file]);
  // Bold is a letter over itself, italics a line below it.
  text = shown.replace(/.\x08/gu, '');
});

describe('the manual page', () => {
  test.each([
    ['man', ['--warnings', '-l', '-Tutf8', file]],
    ['groff', ['-man', '-ww', '-Tutf8', file]],
    ['groff', ['-man', '-ww', '-Tascii', '-rLL=60n', file]],
    ['mandoc', ['-Tlint', '-Wall', file]],
  ])('has nothing that %s %j would warn of', (command, args) => {
    const { status, stdout, stderr } = run(command, args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    if (command === 'mandoc') expect(stdout).toBe('');
  });

  test('is plain ASCII, so that no locale can spoil it', () => {
    expect(page).toMatch(/^[\n\x20-\x7e]+$/);
  });

  const verbs = (command: Command, above: readonly string[]): string[][] => [
    [...above],
    ...command.commands.flatMap((each) => verbs(each, [...above, each.name()])),
  ];
  const all = verbs(program, []).map((words) => words.join(' '));

  test.each(all)('has everything that "holdfast %s --help" says', async (words) => {
    const { stdout: help } = await holdfast([...words.split(' ').filter(Boolean), '--help'], { env: { COLUMNS: '1000' } });
    const section = words === '' ? text : text.slice(text.indexOf(/^Usage: (.*)$/m.exec(help)![1]!.replaceAll('…', '...')));
    const flat = (piece: string): string => piece.replace(/\s+/g, ' ').trim();
    const [own, whole] = [flat(section), flat(text)];
    let part = '';
    let options = 0;
    for (const line of help.split('\n')) {
      const heading = /^(?:Usage|Options|Arguments|Commands|Global Options|Environment|Exit codes)(?=:)/.exec(line)?.[0];
      if (heading !== undefined || line === '') {
        part = heading ?? '';
        continue;
      }
      const [, flags, description] = /^ {2}((?:-\w, )?--[\w-]+)(?: [<[].*[>\]])? {2,}(.*)$/.exec(line) ?? [];
      if (flags !== undefined) {
        options += 1;
        // Those of the program, and the help itself, are told once.
        const place = part === 'Options' && flags !== '-h, --help' ? own : whole;
        expect(place).toContain(flags);
        expect(place).toContain(flat(description!).replaceAll('…', '...'));
      } else if (part === 'Arguments') for (const piece of line.trim().split(/ {2,}/)) expect(own).toContain(piece);
      else if (part === 'Commands')
        for (const piece of line.trim().split(/ {2,}/).slice(1)) expect(whole.toLowerCase()).toContain(piece.toLowerCase());
      else if (part === '' && !/^Examples?:$/.test(line))
        expect(own.toLowerCase()).toContain(flat(line).replaceAll('…', '...').toLowerCase());
    }
    expect(options).toBeGreaterThan(3);
  });

  test('tells the version, the environment and every exit code', () => {
    expect(text).toContain(`Holdfast ${version}`);
    for (const name of ['HOLDFAST_REPOSITORY', 'HOLDFAST_PASSWORD', 'HOLDFAST_PASSWORD_FILE', 'HOLDFAST_DEBUG'])
      expect(text).toMatch(new RegExp(`^ +${name}\\b`, 'm'));
    for (const code of Object.values(exitCodes)) expect(text).toMatch(new RegExp(`^ +${code} +\\w`, 'm'));
  });

  test('shows examples as they are to be typed', () => {
    for (const line of [
      'find ~ -name "*.tex" -print0 | holdfast --repo /media/disk/backup backup --files-from-raw -',
      '"*.tmp", "/build/", "!keep.tmp"',
    ])
      expect(text).toContain(line);
  });

  test('is shown at a terminal by the system', async () => {
    const { code, screen } = await onTerminal(cliProgram, ['man'], { env: { PAGER: 'cat', MANPAGER: 'cat' } });
    expect(code).toBe(0);
    expect(screen).toContain('HOLDFAST(1)');
    const without = await onTerminal(cliProgram, ['man'], { env: { PATH: '/nowhere' } });
    expect(without.screen).toContain('.TH HOLDFAST 1');
  });
});
