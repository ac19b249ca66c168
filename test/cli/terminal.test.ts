import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Cli, cliProgram, quickRepository } from '../support/cli.ts';
import { onTerminal, type Step } from '../support/terminal.ts';
import { scratch, tree } from '../support/tree-literal.ts';

const secret = 'pässwörd 4711';

describe('asking for a password', () => {
  test('does not show it, and takes corrections', async () => {
    const { repository } = await quickRepository(join(scratch(), 'repo'), secret);
    const typed = `wrong\x15pässwörx\x7fd 4711\r`;
    const run = await onTerminal(cliProgram, ['--repo', repository, 'snapshots'], { steps: [{ after: 'Password for', type: typed }] });
    expect(run).toMatchObject({ code: 0 });
    expect(run.screen).toContain('0 snapshots');
    for (const piece of ['wrong', 'pässw', '4711', '*']) expect(run.screen.replaceAll(repository, '')).not.toContain(piece);
  });

  test('lets a person try three times', async () => {
    const { repository } = await quickRepository(join(scratch(), 'repo'), secret);
    const wrong: Step = { after: 'Password for', type: 'guess\r' };
    expect(
      (
        await onTerminal(cliProgram, ['--repo', repository, 'snapshots'], {
          steps: [wrong, wrong, { after: 'Password for', type: `${secret}\r` }],
        })
      ).code,
    ).toBe(0);
    const never = await onTerminal(cliProgram, ['--repo', repository, 'snapshots'], { steps: [wrong, wrong, wrong] });
    expect(never.code).toBe(12);
    expect(never.screen).not.toContain('guess');
  });

  test('init asks twice, and makes nothing when the two differ or nothing is typed', async () => {
    const folder = join(scratch(), 'repo');
    const asking = (first: string, second: string): Promise<{ code: number }> =>
      onTerminal(cliProgram, ['--repo', folder, 'init'], {
        steps: [
          { after: 'New password for', type: `${first}\r` },
          { after: 'The same again', type: `${second}\r` },
        ],
      });
    expect((await asking(secret, 'something else')).code).toBe(1);
    expect((await asking('', '')).code).toBe(1);
    expect(existsSync(folder)).toBe(false);
    expect((await asking(secret, secret)).code).toBe(0);
    await new Cli(folder, secret).must(['snapshots']);
  });

  test('Ctrl-C while asking ends with 130 and changes nothing', async () => {
    const folder = join(scratch(), 'repo');
    const run = await onTerminal(cliProgram, ['--repo', folder, 'init'], { steps: [{ after: 'New password for', type: '\x03' }] });
    expect(run.code).toBe(130);
    expect(run.screen).toContain('No repository was made');
    expect(existsSync(folder)).toBe(false);
  });
});

describe('the progress of a backup', () => {
  test('is one line that is written over, fits the terminal, and is gone at the end', async () => {
    const folder = scratch();
    const { repository } = await quickRepository(join(folder, 'repo'), secret);
    tree(join(folder, 'src'), { 'a-file-with-a-rather-long-name-\x1b[2J.bin': randomBytes(3_000_000) });
    const columns = 72;
    const run = await onTerminal(cliProgram, ['--repo', repository, 'backup', join(folder, 'src')], {
      columns,
      env: { HOLDFAST_PASSWORD: secret },
    });
    expect(run.code).toBe(0);
    expect(run.screen).toContain('Backing up');
    expect(run.screen).not.toContain('\x1b[2J');
    const bars = run.screen.split('\r').filter((piece) => piece.startsWith('Backing up'));
    for (const bar of bars) expect(bar.replace('\x1b[K', '').length).toBeLessThan(columns);
    expect(run.screen.slice(run.screen.lastIndexOf('\x1b[K'))).toContain('is stored');
  });

  test('is not shown on a terminal that cannot, nor with --json', async () => {
    const folder = scratch();
    const { repository } = await quickRepository(join(folder, 'repo'), secret);
    tree(join(folder, 'src'), { a: 'a' });
    const args = ['--repo', repository, 'backup', join(folder, 'src')];
    expect((await onTerminal(cliProgram, args, { env: { HOLDFAST_PASSWORD: secret, TERM: 'dumb' } })).screen).not.toContain('\x1b');
    const { screen } = await onTerminal(cliProgram, ['--json', ...args], { env: { HOLDFAST_PASSWORD: secret } });
    for (const line of screen.trim().split('\r\n')) expect(() => JSON.parse(line) as unknown).not.toThrow();
  });

  test('Ctrl-C on the terminal cancels', async () => {
    const folder = scratch();
    const { repository } = await quickRepository(join(folder, 'repo'), secret);
    tree(join(folder, 'src'), { a: 'a' });
    const run = await onTerminal(cliProgram, ['--repo', repository, 'backup', folder], {
      env: { HOLDFAST_PASSWORD: secret },
      steps: [{ after: 'It is left out', type: '\x03' }],
    });
    expect(run.code).toBe(130);
    expect(run.screen).toContain('the next run carries on');
  });
});
