import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { holdfast } from '../support/cli.ts';
import { expectJson, ready, summaryOf } from '../support/cli-ready.ts';
import { jsonLines } from '../support/restic.ts';
import { tree } from '../support/tree-literal.ts';

describe('check, forget, prune and key', () => {
  test('check says that all is well, or names what is damaged and exits with 1', async () => {
    const { src, cli } = await ready();
    tree(src, { a: randomBytes(200_000), b: 'b' });
    await cli.must(['backup', src]);
    expect((await cli.must(['check'])).stdout).toContain('No errors were found');
    expect((await cli.must(['check', '--read-data'])).stdout).toContain('read and proved');
    expect((await cli.must(['check', '--read-data-subset', '1/1', '--no-lock'])).stdout).toContain('read and proved');
    const [pack] = execFileSync('find', [join(cli.repository, 'data'), '-type', 'f', '-size', '+100k'])
      .toString()
      .trim()
      .split('\n');
    const bytes = readFileSync(pack!);
    bytes[1000]! ^= 4;
    chmodSync(pack!, 0o600);
    writeFileSync(pack!, bytes);
    await cli.must(['check']);
    const { code, stdout } = await cli.run(['check', '--read-data', 'latest']);
    expect(code).toBe(1);
    expect(stdout).toContain('DAMAGE');
    expect(stdout).toContain(join(src, 'a'));
    expectJson((await cli.run(['--json', 'check', '--read-data'])).stdout);
  });

  test('forget keeps what rules keep, tells why, and changes nothing in a dry run', async () => {
    const { src, cli, restic } = await ready();
    tree(src, { a: 'a' });
    for (let i = 0; i < 3; i++) {
      writeFileSync(join(src, 'a'), randomBytes(50_000));
      await cli.must(['backup', src]);
    }
    const dry = await cli.must(['forget', '--keep-last', '1', '--dry-run', '--prune']);
    expect(dry.stdout).toContain('last snapshot');
    expect(dry.stdout).toContain('2 snapshots would be removed');
    expect(dry.stdout).toContain('Nothing was changed');
    expect(await restic.snapshots()).toHaveLength(3);
    const refused = await cli.run(['forget', '--keep-tag', 'none-has-this']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('Nothing was removed');
    const { stdout } = await cli.must(['--json', 'forget', '--keep-last', '1', '--prune', '--max-unused', '0']);
    expectJson(stdout);
    expect((summaryOf(stdout).removed as string[]).length).toBe(2);
    expect(await restic.snapshots()).toHaveLength(1);
    expect((await restic.check({ readData: true })).code).toBe(0);
    const last = await cli.run(['forget', 'latest']);
    expect(last.code).toBe(1);
    expect(last.stderr).toContain('--force');
    await cli.must(['forget', 'latest', '--force']);
    expect(await restic.snapshots()).toHaveLength(0);
    expect((await cli.must(['prune', '--dry-run'])).stdout).toContain('Nothing was changed');
    await cli.must(['prune', '--max-unused', '0']);
    expect(execFileSync('find', [join(cli.repository, 'data'), '-type', 'f']).toString()).toBe('');
  });

  test('passwords are added, changed and removed; the last way in stays', async () => {
    const { folder, cli } = await ready();
    const second = join(folder, 'second');
    const third = join(folder, 'third');
    writeFileSync(second, 'second secret\n');
    writeFileSync(third, 'third secret\n');
    const opens = async (args: string[], env: Record<string, string> = {}): Promise<number> =>
      (await holdfast(['--repo', cli.repository, ...args, 'snapshots'], { env })).code;
    const added = summaryOf((await cli.must(['--json', 'key', 'add', '--new-password-file', second])).stdout).added as string;
    expect(await opens(['--password-file', second])).toBe(0);
    const list = await cli.must(['key', 'list']);
    expect(list.stdout).toContain(added.slice(0, 8));
    expect(list.stdout.match(/^\*/gm)).toHaveLength(1);
    await holdfast(['--repo', cli.repository, '--password-file', second, 'key', 'change', '--new-password-file', third]);
    expect(await opens(['--password-file', second])).toBe(12);
    expect(await opens(['--password-file', third])).toBe(0);
    const keys = jsonLines((await cli.must(['--json', 'key', 'list'])).stdout).filter(({ type }) => type === 'key');
    const own = keys.find(({ current }) => current === true)!.id as string;
    expect((await cli.run(['key', 'remove', own])).stderr).toContain('was opened with');
    const other = keys.find(({ current }) => current === false)!.id as string;
    await cli.must(['key', 'remove', other.slice(0, 12)]);
    expect(await opens(['--password-file', third])).toBe(12);
    expect(await opens([], { HOLDFAST_PASSWORD: cli.password })).toBe(0);
    expect((await cli.run(['key', 'add'])).stderr).toContain('No password was given');
  });
});
