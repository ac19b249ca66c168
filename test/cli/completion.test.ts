import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { excludePresets } from '../../src/engine/backup/exclude-presets.ts';
import { allCommands, type CommandFacts, factsOf } from '../../src/cli/describe/program-facts.ts';
import { makeProgram } from '../../src/cli/program.ts';
import { cliProgram, holdfast } from '../support/cli.ts';
import { candidates, type Shell } from '../support/shells.ts';
import { commandOnTerminal } from '../support/terminal.ts';
import { scratch, tree } from '../support/tree-literal.ts';

const program = factsOf(await makeProgram(async () => {}));
const commands = allCommands(program);
const flagsOf = ({ options }: CommandFacts): string[] =>
  options.flatMap(({ long, short }) => [long, short]).filter((flag) => flag !== undefined);

describe.each(['bash', 'zsh', 'fish'] as const)('%s', (shell: Shell) => {
  let script: string;

  beforeAll(async () => {
    const { code, stdout, stderr } = await holdfast(['completion', shell]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    script = stdout;
  });

  const place = (): string => tree(scratch('place'), { 'a file.txt': '', 'another.txt': '', 'a folder': { inner: '' }, other: {} });

  const offered = (line: string, cwd = place()): Promise<string[]> => candidates(shell, script, line, cwd);
  /** Without the slash that some shells put behind folders, and unquoted. */
  const plain = (words: readonly string[]): string[] => words.map((word) => word.replace(/\/$/, '').replaceAll('\\', ''));

  test('reads the script without a complaint', () => {
    const file = join(scratch('script'), 'script');
    writeFileSync(file, script);
    const checks = { bash: ['bash', '-n', file], zsh: ['zsh', '-f', '-n', file], fish: ['fish', '--no-config', '--no-execute', file] };
    const [command, ...args] = checks[shell] as [string, ...string[]];
    const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('offers every verb, and those of a group', async () => {
    expect(await offered('holdfast ')).toEqual(program.commands.map(({ verbs }) => verbs[0]!).sort());
    for (const group of program.commands.filter((each) => each.commands.length > 0))
      expect(await offered(`holdfast ${group.verbs.join(' ')} `)).toEqual(group.commands.map(({ verbs }) => verbs.at(-1)!).sort());
  });

  test('goes on with what is begun', async () => {
    expect(await offered('holdfast rest')).toEqual(['restore']);
    expect(await offered('holdfast key ch')).toEqual(['change']);
    expect(await offered('holdfast backup --exclude-larg')).toEqual(['--exclude-larger-than']);
  });

  test.each(commands.filter(({ verbs }) => verbs.at(-1) !== 'help').map((command) => [command.verbs.join(' '), command] as const))(
    'offers the options of "%s", and those of the program',
    async (verbs, command) => {
      const wanted = [...flagsOf(command), ...flagsOf(program)].filter((flag) => flag.startsWith('--'));
      const found = await offered(`holdfast ${verbs} --`);
      for (const flag of wanted) expect(found).toContain(flag);
      for (const flag of found) expect(wanted).toContain(flag.replace(/=$/, ''));
    },
  );

  test('offers the values that there are, also behind an equals sign', async () => {
    expect(await offered('holdfast backup --strategy ')).toEqual(['differential', 'full', 'incremental']);
    expect(await offered('holdfast backup --strategy f')).toEqual(['full']);
    expect(await offered('holdfast restore --overwrite=if')).toEqual(['if-changed', 'if-newer']);
    expect(await offered('holdfast restore --overwrite=')).toContain('keep-both');
    expect(await offered('holdfast backup --preset caches --preset ')).toEqual(excludePresets.map(({ name }) => name).sort());
    expect(await offered('holdfast completion ')).toEqual(['bash', 'fish', 'zsh']);
    expect(await offered('holdfast restore ')).toEqual(['latest']);
    expect(await offered('holdfast help rest')).toEqual(['restore']);
  });

  test('finds the verb behind options of the program and their values', async () => {
    expect(await offered('holdfast --repo backup rest')).toEqual(['restore']);
    expect(await offered('holdfast --json -r restore backup --strat')).toEqual(['--strategy']);
    expect(await offered('holdfast --repo=/x --json key --repo list ch')).toEqual(['change']);
  });

  test('offers files where files are wanted, folders where folders are, and nothing where nobody knows', async () => {
    const cwd = place();
    expect(plain(await offered('holdfast --repo ', cwd))).toEqual(['a folder', 'other']);
    expect(plain(await offered('holdfast --password-file a', cwd))).toEqual(['a file.txt', 'a folder', 'another.txt']);
    expect(plain(await offered('holdfast backup --exclude x a', cwd))).toEqual(['a file.txt', 'a folder', 'another.txt']);
    expect(await offered('holdfast backup --tag ', cwd)).toEqual([]);
    expect(await offered('holdfast key remove ', cwd)).toEqual([]);
  });
});

test('a person at a terminal gets the rest of what was begun, in bash', async () => {
  const folder = tree(scratch('bash'), { 'some folder': {} });
  writeFileSync(join(folder, 'script'), (await holdfast(['completion', 'bash'])).stdout);
  const { screen } = await commandOnTerminal(['/bin/bash', '--norc', '--noprofile', '-i'], {
    env: { PS1: 'READY> ', HOME: folder },
    steps: [
      { after: 'READY> ', type: `cd ${folder}; holdfast() { echo "got:$1:$2:$3:"; }; source ./script\r` },
      { after: 'READY> ', type: 'holdfast --rep\tso\t snap\t\r' },
      { after: 'got:', type: 'exit\r' },
    ],
  });
  expect(screen).toContain('got:--repo:some folder/:snapshots:');
});

describe('the verb', () => {
  test('names the shells that there are', async () => {
    const { code, stderr } = await holdfast(['completion', 'cmd']);
    expect(code).toBe(1);
    expect(stderr).toContain('bash, zsh, fish');
    expect((await holdfast(['completion', 'bash', '--json'])).code).toBe(1);
  });

  test('gives the same script however the program is started', async () => {
    const { stdout } = await holdfast(['completion', 'fish'], { program: cliProgram });
    expect(stdout).toContain('complete -c holdfast');
  });
});
