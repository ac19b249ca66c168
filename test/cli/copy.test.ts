import { randomBytes } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Cli, holdfast, quickRepository } from '../support/cli.ts';
import { expectJson, ready, summaryOf } from '../support/cli-ready.ts';
import { expectCleanCheck, expectSnapshotRestores } from '../support/judge.ts';
import { jsonLines, Restic } from '../support/restic.ts';
import { tree } from '../support/tree-literal.ts';

interface Pair {
  readonly src: string;
  readonly from: Cli;
  readonly to: Cli;
  readonly passwordFile: string;
  copy(...args: string[]): string[];
}

/** A repository with two snapshots, and another one with a password of its own. */
async function pair(): Promise<Pair> {
  const { folder, src, cli: from } = await ready();
  tree(src, { a: randomBytes(200_000), b: 'b' });
  await from.must(['backup', src, '--tag', 'first']);
  writeFileSync(join(src, 'b'), 'changed');
  await from.must(['backup', src, '--host', 'elsewhere']);
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, `${from.password}\n`);
  const to = await quickRepository(join(folder, 'to'), 'another secret');
  return {
    src,
    from,
    to,
    passwordFile,
    copy: (...args) => ['copy', '--from-repo', from.repository, '--from-password-file', passwordFile, ...args],
  };
}

const snapshotsOf = async (cli: Cli): Promise<Record<string, unknown>[]> =>
  jsonLines((await cli.must(['--json', 'snapshots'])).stdout).filter(({ type }) => type === 'snapshot');

describe('copy', () => {
  test('brings the snapshots over, says so, and has nothing to do the second time', async () => {
    const { src, to, copy } = await pair();
    const { stdout, stderr } = await to.must(copy());
    expect(stdout.match(/^Copied [0-9a-f]{8} of /gm)).toHaveLength(2);
    expect(stdout).toContain('2 snapshots copied');
    // Made without --copy-chunker-params.
    expect(stderr).toContain('cut files at different places');
    const restic = new Restic(to.repository, to.password);
    await expectCleanCheck(restic);
    await expectSnapshotRestores(restic, 'latest', src);
    const again = await to.must(copy());
    expect(again.stdout).toContain('0 snapshots to copy, 2 there already');
    expect(again.stderr).not.toContain('different places');
    expect(await snapshotsOf(to)).toHaveLength(2);
  });

  test('copies what is named or filtered, and changes nothing in a dry run', async () => {
    const { from, to, copy } = await pair();
    const dry = await to.must(copy('--dry-run'));
    expect(dry.stdout.match(/^Would copy /gm)).toHaveLength(2);
    expect(dry.stdout).toContain('Nothing was changed');
    expect(await snapshotsOf(to)).toHaveLength(0);
    const [first, second] = await snapshotsOf(from);
    await to.must(copy((second!.id as string).slice(0, 10)));
    expect((await snapshotsOf(to)).map(({ original }) => original)).toEqual([second!.id]);
    await to.must(copy('--tag', 'first'));
    expect((await snapshotsOf(to)).map(({ original }) => original)).toEqual([first!.id, second!.id]);
  });

  test('is one object a line for programs', async () => {
    const { to, copy } = await pair();
    const dry = await to.must(['--json', ...copy('--dry-run')]);
    expectJson(dry.stdout);
    expect(summaryOf(dry.stdout)).toMatchObject({ dryRun: true, copy: 2, present: 0, damaged: 0, cutsAnew: true });
    const { stdout } = await to.must(['--json', ...copy('--keep-chunks')]);
    expectJson(stdout);
    expect(summaryOf(stdout)).toMatchObject({ copied: 2, present: 0, damaged: 0, unreadable: 0, cutsAnew: false });
    const told = jsonLines(stdout).filter(({ type }) => type === 'snapshot');
    expect(told.map(({ action }) => action)).toEqual(['copied', 'copied']);
    expect(told.map(({ copy: id }) => id)).toEqual((await snapshotsOf(to)).map(({ id }) => id));
    const again = await to.must(['--json', ...copy()]);
    expect(
      jsonLines(again.stdout)
        .filter(({ type }) => type === 'snapshot')
        .map(({ action }) => action),
    ).toEqual(['present', 'present']);
  });

  test('names what is damaged and what it harms, copies the rest, and exits with 3', async () => {
    const { src, from, to, copy } = await pair();
    tree(src, { c: randomBytes(300_000) });
    const before = packsOf(from);
    await from.must(['backup', src]);
    const [pack] = packsOf(from).filter((name) => !before.includes(name) && readFileSync(name).length > 100_000);
    const bytes = readFileSync(pack!);
    bytes[1000]! ^= 4;
    chmodSync(pack!, 0o600);
    writeFileSync(pack!, bytes);
    const { code, stdout, stderr } = await to.run(copy('--keep-chunks'));
    expect(code).toBe(3);
    expect(stderr).toContain(join(src, 'c'));
    expect(stderr).toMatch(/Snapshot [0-9a-f]{8} .* cannot be copied/);
    expect(stdout).toContain('2 snapshots copied');
    expect(await snapshotsOf(to)).toHaveLength(2);
    await expectCleanCheck(new Restic(to.repository, to.password));
  });

  test('refuses wrong usage before it asks for anything', async () => {
    const { from, to, copy } = await pair();
    const wrong = async (args: readonly string[], words: string, code = 1): Promise<void> => {
      const run = await to.run(args);
      expect([run.code, run.stdout]).toEqual([code, '']);
      expect(run.stderr).toContain(words);
    };
    await wrong(['copy'], '--from-repo');
    await wrong(copy('latest', '--host', 'x'), 'at the same time');
    await wrong(copy('ffffffff'), 'no snapshot');
    await wrong(['copy', '--from-repo', join(from.repository, 'nowhere')], 'no backup repository', 10);
    await wrong(['copy', '--from-repo', from.repository], 'password');
    expect((await from.run(['copy', '--from-repo', from.repository], { env: { HOLDFAST_FROM_PASSWORD: from.password } })).stderr).toContain(
      'Both places are the same',
    );
    expect((await holdfast(['copy', '--help'])).stdout).toContain('--keep-chunks');
  });

  test('is cancelled by Ctrl-C, and carries on the next time', async () => {
    const { src, from, to, copy } = await pair();
    tree(src, Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`large ${i}`, randomBytes(8_000_000)])));
    await from.must(['backup', src]);
    const { code, stdout, stderr } = await to.run(copy(), {
      onOutput: (text, kill) => {
        if (text.includes('to copy')) kill('SIGINT');
      },
    });
    expect(code).toBe(130);
    expect(stderr).toContain('Cancelled. What was copied is kept');
    expect(stdout).not.toContain('snapshots copied');
    const restic = new Restic(to.repository, to.password);
    await expectCleanCheck(restic, { unindexedPacks: true });
    expect((await to.must(copy())).stdout).toMatch(/\d snapshots? copied/);
    expect(await snapshotsOf(to)).toHaveLength(3);
    await expectCleanCheck(restic);
  });

  test('takes the password of the other repository from the environment', async () => {
    const { from, to } = await pair();
    const { code } = await to.run(['copy', '--from-repo', from.repository], { env: { HOLDFAST_FROM_PASSWORD: from.password } });
    expect(code).toBe(0);
    const wrong = await to.run(['copy', '--from-repo', from.repository], { env: { HOLDFAST_FROM_PASSWORD: 'wrong' } });
    expect(wrong.code).toBe(12);
  });

  test('prints hostile names of hosts and folders so that a terminal shows them', async () => {
    const { src, from, to, copy } = await pair();
    await from.must(['backup', src, '--host', 'evil\x1b[2Jhost']);
    const { stdout } = await to.must(copy('latest'));
    expect(stdout).toContain('evil\\x1b[2Jhost');
    expect(stdout).not.toContain('\x1b');
  });
});

function packsOf(cli: Cli): string[] {
  return readdirSync(join(cli.repository, 'data'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /[0-9a-f]{64}$/.test(name))
    .map((name) => join(cli.repository, 'data', name));
}
