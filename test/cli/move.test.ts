import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Cli, holdfast } from '../support/cli.ts';
import { expectJson, ready, summaryOf } from '../support/cli-ready.ts';
import { expectCleanCheck, expectSnapshotRestores } from '../support/judge.ts';
import { Restic } from '../support/restic.ts';
import { tree } from '../support/tree-literal.ts';

async function filled(): Promise<Awaited<ReturnType<typeof ready>> & { to: string }> {
  const all = await ready();
  tree(all.src, { a: randomBytes(200_000), b: 'b' });
  await all.cli.must(['backup', all.src]);
  return { ...all, to: join(all.folder, 'new place') };
}

describe('move', () => {
  test('says in a dry run how much it is and whether it fits, and changes nothing', async () => {
    const { cli, to } = await filled();
    const { stdout } = await cli.must(['move', '--to', to, '--dry-run']);
    expect(stdout).toMatch(/To .*new place: \d+ files, /);
    expect(stdout).toContain('are free');
    expect(stdout).toContain('Nothing was changed');
    expect(existsSync(to)).toBe(false);
    const json = (await cli.must(['--json', 'move', '--to', to, '-n'])).stdout;
    expectJson(json);
    expect(summaryOf(json)).toMatchObject({ dryRun: true, location: to, state: 'empty', fits: true });
  });

  test('brings the repository over and keeps the old one, or removes it when that is wanted', async () => {
    const { src, cli, to } = await filled();
    const first = await cli.must(['move', '--to', to]);
    expect(first.stdout).toContain('was kept');
    const moved = new Cli(to, cli.password);
    const [old, fresh] = [new Restic(cli.repository, cli.password), new Restic(to, cli.password)];
    expect(await fresh.snapshots()).toEqual(await old.snapshots());
    for (const each of [old, fresh]) await expectCleanCheck(each);
    const json = (await cli.must(['--json', 'move', '--to', to, '--remove-old'])).stdout;
    expectJson(json);
    expect(summaryOf(json)).toMatchObject({ location: to, files: 0, bytes: 0, oldRemoved: true, errors: 0 });
    expect(readdirSync(cli.repository)).toEqual([]);
    expect((await cli.run(['snapshots'])).code).toBe(10);
    await moved.must(['backup', src]);
    await expectSnapshotRestores(fresh, 'latest', src);
    await expectCleanCheck(fresh);
  });

  test('refuses a place that holds other things, the same place, and places that it cannot use', async () => {
    const { folder, src, cli } = await filled();
    const refused = async (to: string, words: string): Promise<void> => {
      const { code, stderr } = await cli.run(['move', '--to', to]);
      expect(code).toBe(1);
      expect(stderr).toContain(words);
    };
    await refused(src, 'holds other things');
    await refused(cli.repository, 'Both places are the same');
    await refused('swift:somewhere', 'cannot use swift');
    const evil = join(folder, 'evil');
    tree(evil, { '\x1b[31mred\n': '' });
    await refused(evil, 'holds other things, such as "\\u001b[31mred\\n"');
    expect((await cli.run(['move'])).code).toBe(1);
    expect((await holdfast(['move', '--help'])).stdout).toContain('--remove-old');
  });

  test('names damaged files of the old place and moves nothing', async () => {
    const { cli, to } = await filled();
    const names = readdirSync(join(cli.repository, 'data'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      /[0-9a-f]{64}$/.test(name),
    );
    const pack = join(cli.repository, 'data', names[0]!);
    const bytes = readFileSync(pack);
    bytes[100]! ^= 1;
    chmodSync(pack, 0o600);
    writeFileSync(pack, bytes);
    const { code, stderr } = await cli.run(['move', '--to', to, '--remove-old']);
    expect(code).toBe(1);
    expect(stderr).toContain(`pack ${names[0]!.slice(3, 15)}`);
    expect(stderr).toContain('was not moved');
    expect(existsSync(join(to, 'config'))).toBe(false);
    expect(existsSync(join(cli.repository, 'config'))).toBe(true);
  });

  test('can be run again after it was cut off', async () => {
    const { cli, to } = await filled();
    mkdirSync(to);
    const { code } = await cli.run(['move', '--to', to], {
      onOutput: (text, kill) => {
        if (text.includes('are needed there')) kill('SIGTERM');
      },
    });
    expect([0, 130]).toContain(code);
    await cli.must(['move', '--to', to]);
    await expectCleanCheck(new Restic(to, cli.password));
  });
});
