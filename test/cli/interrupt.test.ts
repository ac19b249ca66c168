import { spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync, readdirSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Cli, type CliRun, holdfast, quickRepository } from '../support/cli.ts';
import { jsonLines, Restic } from '../support/restic.ts';
import { scratch } from '../support/tree-literal.ts';

const mebibyte = 1 << 20;

/** Adds files of 16 MiB that no repository has seen. */
async function addData(folder: string, mebibytes: number): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < mebibytes / 16; i++) {
    const file = createWriteStream(join(folder, randomBytes(8).toString('hex')));
    for (let piece = 0; piece < 16; piece++) file.write(randomBytes(mebibyte));
    file.end();
    await once(file, 'close');
  }
}

/** Whether something is stored already. */
const hasPack = (repository: string): boolean =>
  readdirSync(join(repository, 'data'), { recursive: true, encoding: 'utf8' }).some((name) => /[0-9a-f]{64}$/u.test(name));

/** Runs a backup and sends a signal at the first progress after something was stored; with more data each time until the run was not faster. */
async function interrupted(cli: Cli, src: string, signal: NodeJS.Signals, json: boolean): Promise<CliRun> {
  for (let mebibytes = 256; ; mebibytes *= 2) {
    await addData(src, mebibytes);
    let sent = false;
    const onOutput = (text: string, kill: (signal: NodeJS.Signals) => void): void => {
      if (sent || !text.includes('"progress"') || !hasPack(cli.repository)) return;
      sent = true;
      kill(signal);
    };
    const run = json
      ? await cli.run(['--json', 'backup', src, '--pack-size', '4'], { onOutput })
      : await cli.run(['backup', src, '--pack-size', '4'], { env: { HOLDFAST_PASSWORD: cli.password }, onOutput });
    if (run.code !== 0) return run;
  }
}

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s ends a backup cleanly: 130, nothing broken, no lock left, and the next run carries on',
  async (signal) => {
    const folder = scratch();
    const cli = await quickRepository(join(folder, 'repo'));
    const restic = new Restic(cli.repository, cli.password);
    const src = join(folder, 'src');
    const { code, stdout, stderr } = await interrupted(cli, src, signal, true);
    expect(code).toBe(130);
    expect(stderr).toBe('');
    const last = jsonLines(stdout).at(-1)!;
    expect(last).toMatchObject({
      type: 'error',
      code: 'cancelled',
      message: 'Cancelled. What was stored is kept; the next run carries on from it.',
    });
    expect(readdirSync(join(cli.repository, 'locks'))).toEqual([]);
    expect((await restic.check({ readData: true })).code).toBe(0);
    const before = new Set((await restic.listBlobs()).map(({ id }) => id));
    expect(before.size).toBeGreaterThan(0);
    const next = await cli.must(['--json', 'backup', src]);
    const summary = jsonLines(next.stdout).find(({ type }) => type === 'summary')!;
    expect(summary.data_added as number).toBeLessThan(summary.total_bytes_processed as number);
    expect((await restic.check()).code).toBe(0);
  },
);

test('a second signal ends the process at once, and the next run deals with the lock', async () => {
  const folder = scratch();
  const cli = await quickRepository(join(folder, 'repo'));
  const src = join(folder, 'src');
  await addData(src, 256);
  let sent = 0;
  const run = await cli.run(['--json', 'backup', src], {
    onOutput: (text, kill) => {
      if (!text.includes('"progress"')) return;
      if (sent++ > 0) return;
      kill('SIGINT');
      kill('SIGINT');
    },
  });
  expect([0, 130]).toContain(run.code);
  await cli.must(['backup', src]);
  expect((await new Restic(cli.repository, cli.password).check()).code).toBe(0);
});

test('a signal before anything was begun ends with 130 as well', async () => {
  const folder = scratch();
  const cli = await quickRepository(join(folder, 'repo'));
  await addData(join(folder, 'src'), 16);
  // The note about the destination is the first that the run says.
  const { code, stderr } = await holdfast(['--repo', cli.repository, 'backup', folder], {
    env: { HOLDFAST_PASSWORD: cli.password },
    onOutput: (text, kill) => {
      if (text.includes('left out')) kill('SIGINT');
    },
  });
  expect(code).toBe(130);
  expect(stderr).toContain('Stopping…');
  expect(stderr).toContain('Cancelled. What was stored is kept; the next run carries on from it.');
  expect(readdirSync(join(cli.repository, 'locks'))).toEqual([]);
  expect(spawnSync('find', [join(cli.repository, 'snapshots'), '-type', 'f']).stdout.toString()).toBe('');
});
