import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { rsyncSays } from '../engine/mirror/mirror-world.ts';
import { expectJson, ready, summaryOf } from '../support/cli-ready.ts';
import { holdfast } from '../support/cli.ts';
import { jsonLines } from '../support/restic.ts';
import { scratch, tree } from '../support/tree-literal.ts';

/** A folder that was backed up and changed, and restored over. */
async function restored() {
  const { folder, src, cli } = await ready();
  tree(src, { a: 'old', sub: { b: 'b' } });
  await cli.must(['backup', src]);
  tree(src, { a: 'new and longer', extra: 'x' });
  const { stdout } = await cli.must(['--json', 'restore', `latest:${src}`, '--original', '--delete']);
  expectJson(stdout);
  const { id } = summaryOf(stdout)['undo'] as { id: string };
  return { folder, src, cli, id };
}

describe('restore --undo', () => {
  test('brings back what was there, without a repository or a password, and is listed before and not after', async () => {
    const { src, cli, id } = await restored();
    const env = { XDG_DATA_HOME: cli.data };
    expect(readdirSync(src).filter((name) => !name.startsWith('.'))).toEqual(['a', 'sub']);
    const listed = await holdfast(['--json', 'restore', '--list-undo'], { env });
    expectJson(listed.stdout);
    expect(jsonLines(listed.stdout)[0]).toMatchObject({ type: 'undo', id, target: '/', state: 'whole' });
    expect((await holdfast(['restore', '--undo', 'list'], { env })).stdout).toContain(id);
    const planned = await holdfast(['restore', '--undo', id, '--dry-run'], { env });
    expect(planned).toMatchObject({ code: 0, stderr: '' });
    expect(planned.stdout).toContain(`put back ${join(src, 'a')}`);
    expect(readFileSync(join(src, 'a'), 'utf8')).toBe('old');
    const done = await holdfast(['--json', 'restore', '--undo', id.slice(0, 4)], { env });
    expectJson(done.stdout);
    expect(done.code).toBe(0);
    expect(summaryOf(done.stdout)).toMatchObject({ id, putBack: 2, kept: 0, problems: 0 });
    expect(readdirSync(src)).toEqual(['a', 'extra', 'sub']);
    expect(readFileSync(join(src, 'a'), 'utf8')).toBe('new and longer');
    expect((await holdfast(['restore', '--list-undo'], { env })).stdout).toBe('0 restores can be undone.\n');
  });

  test('tells what was changed since, in characters that do no harm', async () => {
    const { src, cli, id } = await restored();
    writeFileSync(join(src, 'a'), 'changed since');
    writeFileSync(join(src, 'extra'), 'also');
    const { code, stdout } = await cli.run(['restore', '--undo', id]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/keep {5}\S*\/a as \S*\/a \(kept \d{4}-\d\d-\d\d \d\d\.\d\d\)\n/);
    expect(stdout).toContain('2 items changed since and kept');
    expect(readdirSync(src).length).toBe(5);
  });

  test('is told about by a restore for people, and not with --no-undo', async () => {
    const { src, cli } = await restored();
    tree(src, { a: 'again' });
    const { stderr } = await cli.must(['restore', `latest:${src}`, '--original']);
    expect(stderr).toMatch(/To bring back what was there before: holdfast restore --undo [0-9a-f]{8} \(for 30 days, .* kept for it\)/);
    tree(src, { a: 'and again' });
    const without = await cli.must(['restore', `latest:${src}`, '--original', '--no-undo']);
    expect(without.stderr).toBe('');
    expect(readdirSync(join(cli.data, 'holdfast', 'undo')).length).toBe(2);
  });

  test('keeps its journals where it is told', async () => {
    const { folder, src, cli } = await restored();
    tree(src, { a: 'once more' });
    const journal = join(folder, 'journal');
    const { stderr } = await cli.must(['restore', `latest:${src}`, '--original', '--journal', journal]);
    const [id] = readdirSync(journal);
    expect(stderr).toContain(`--undo ${id} --journal ${journal}`);
    await cli.must(['restore', '--undo', id!, '--journal', journal]);
    expect(readFileSync(join(src, 'a'), 'utf8')).toBe('once more');
  });

  test('fails in words when there is no such restore', async () => {
    const { code, stderr } = await holdfast(['restore', '--undo', '12345678'], { env: { XDG_DATA_HOME: scratch() } });
    expect(code).toBe(1);
    expect(stderr).toContain('No single restore that can be undone has the ID 12345678');
  });

  test.each([
    ['with a snapshot', ['restore', 'latest', '--undo', '12345678']],
    ['with a list', ['restore', '--list-undo', '--undo', '12345678']],
    ['an age without forgetting', ['restore', 'latest', '--target', 'x', '--older-than', '30d']],
    ['an age that is none', ['restore', '--forget-undo', '--older-than', 'old']],
    ['forgetting of nothing', ['restore', '--forget-undo']],
    ['no snapshot', ['restore', '--target', 'x']],
  ])('%s is wrong usage', async (_, args) => {
    const folder = scratch();
    const { code, stderr } = await holdfast(['--repo', 'x', ...args], { cwd: folder, env: { XDG_DATA_HOME: join(folder, 'data') } });
    expect(code).toBe(1);
    expect(stderr).toContain('Nothing was changed');
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('restore --forget-undo', () => {
  test('removes what is kept, of one or of all that are old', async () => {
    const { src, cli, id } = await restored();
    const aside = join(src, `.holdfast-undo-${id}`);
    expect(existsSync(aside)).toBe(true);
    expect((await cli.must(['restore', '--forget-undo', '--older-than', '1d'])).stdout).toContain('0 restores');
    expect((await cli.must(['restore', '--forget-undo', id, '--dry-run'])).stdout).toContain('Nothing was changed');
    expect(existsSync(aside)).toBe(true);
    const { stdout } = await cli.must(['--json', 'restore', '--forget-undo', id]);
    expectJson(stdout);
    expect(summaryOf(stdout)).toMatchObject({ forgotten: 1, problems: 0 });
    expect(existsSync(aside)).toBe(false);
    expect((await cli.run(['restore', '--undo', id])).code).toBe(1);
  });
});

describe('mirror', () => {
  test('keeps a folder equal, shows before what it will do, and refuses what is none', async () => {
    const { folder, src, cli } = await ready();
    tree(src, { a: 'a', sub: { b: 'b' } });
    await cli.must(['backup', src]);
    const to = join(folder, 'mirror');
    const args = ['mirror', '--to', to, '--path', src];
    const planned = await cli.must(['--json', ...args, '--dry-run']);
    expectJson(planned.stdout);
    expect(existsSync(to)).toBe(false);
    expect(summaryOf(planned.stdout)).toMatchObject({ dryRun: true, create: 3, target: to });
    expect((await cli.must(args)).stdout).toContain('is equal to snapshot');
    expect(rsyncSays(src, to)).toBe('');
    tree(src, { a: 'changed' });
    await cli.must(['backup', src]);
    tree(to, { extra: 'x' });
    const { stdout } = await cli.must(['--json', 'mirror', 'latest', '--to', to, '--path', src, '--verify']);
    expectJson(stdout);
    expect(summaryOf(stdout)).toMatchObject({ replace: 1, delete: 1, problems: 0, verified: { entries: 2 } });
    expect(rsyncSays(src, to)).toBe('');
    expect(readFileSync(join(String(summaryOf(stdout)['removedTo']), 'extra'), 'utf8')).toBe('x');
    const refused = await cli.run(['mirror', '--to', src]);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('--adopt');
    expect((await cli.run(['mirror'])).stderr).toContain('--to');
    expect((await cli.run([...args, '--delete-to', 'nowhere'])).stderr).toContain('dated, remove');
  });
});
