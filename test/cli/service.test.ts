/** The verbs that talk to the service, and the service as a program. */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CliRun, holdfast } from '../support/cli.ts';
import { jsonLines, Restic } from '../support/restic.ts';
import { password, repositoryAt } from '../support/service.ts';
import { scratch, tree } from '../support/tree-literal.ts';

/** A person without a keychain, in a profile of their own. */
function person() {
  const folder = scratch();
  const env = {
    HOME: folder,
    HOLDFAST_PROFILE: join(folder, 'profile'),
    HOLDFAST_SECRETS_FILE: join(folder, 'secrets.json'),
    HOLDFAST_KEYCHAIN: 'off',
    HOLDFAST_PASSWORD: password,
  };
  const run = (...args: string[]): Promise<CliRun> => holdfast(args, { env });
  const must = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(...args);
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
    return stdout;
  };
  /** The service in the foreground; resolves when it can be used. */
  const serve = async (...args: string[]): Promise<{ ended: Promise<CliRun>; signal: (signal: NodeJS.Signals) => void }> => {
    const { promise: ready, resolve: isReady } = Promise.withResolvers<(signal: NodeJS.Signals) => void>();
    const ended = holdfast(['serve', ...args], {
      env,
      onOutput: (text, kill) => {
        if (text.includes('The service runs')) isReady(kill);
      },
    });
    const signal = await Promise.race([ready, ended.then(({ stderr }) => Promise.reject(new Error(stderr)))]);
    return { ended, signal };
  };
  return { folder, env, run, must, serve };
}

test('a plan from nothing to a restored file, and all verbs on the way', async () => {
  const { folder, run, must, serve } = person();
  const absent = await run('status');
  expect([absent.code, absent.stderr]).toEqual([1, expect.stringContaining('holdfast serve')]);
  const service = await serve();
  expect(await must('status')).toContain('no plan yet');
  expect(await must('destination', 'list')).toContain('No destination');
  expect(await must('run', 'list')).toContain('no run yet');
  await repositoryAt(join(folder, 'repo'));
  await must('destination', 'connect', join(folder, 'repo'), '--name', 'Black disk');
  expect(statSync(join(folder, 'secrets.json')).mode & 0o777).toBe(0o600);
  const source = tree(join(folder, 'docs'), { 'a.txt': 'a', 'b.tmp': 'b' });
  await must(
    'plan',
    'create',
    'Docs',
    '--source',
    source,
    '--to',
    'Black disk',
    '--daily',
    '12:00',
    '--exclude',
    '*.tmp',
    '--keep',
    'daily=7',
  );
  expect(await must('plan', 'list')).toContain('daily at 12:00');
  const started = await must('run', 'start', 'Docs');
  expect(started).toContain('succeeded');
  expect(await must('status')).toContain('last backup');
  const [run1] = jsonLines(await must('run', 'list', '--json'));
  expect(run1).toMatchObject({ type: 'run', status: 'succeeded', planName: 'Docs' });
  expect(await must('run', 'show', '1')).toContain('is stored');
  expect(await must('run', 'problems', '1')).toContain('Everything was stored');
  const restic = new Restic(join(folder, 'repo'), password);
  await restic.must(['restore', `latest:${source}`, '--target', join(folder, 'back')]);
  expect(readFileSync(join(folder, 'back/a.txt'), 'utf8')).toBe('a');

  await must('plan', 'change', 'Docs', '--name', 'Papers', '--every', '2h', '--rpo', '1d');
  await must('plan', 'disable', 'Papers');
  expect(await must('plan', 'list')).toContain('switched off');
  await must('plan', 'enable', 'Papers');
  const [plan] = jsonLines(await must('plan', 'list', '--json'));
  expect(plan).toMatchObject({
    name: 'Papers',
    schedule: { triggers: [{ kind: 'interval', minutes: 120 }] },
    targets: { rpoMinutes: 1440 },
    retention: { daily: 7 },
    excludes: { patterns: ['*.tmp'] },
  });
  expect(await must('plan', 'advise', '--size', '200G', '--change', '1G', '--rpo', '1d', '--rto', '4h')).toMatch(/Run .*\n {2}A run every/);
  expect(await must('settings', 'set', 'limit-upload', '08:00-18:00=500K,2M')).toContain('08:00-18:00=500K,2M');
  expect(await must('settings', 'set', 'threads', '1')).toMatch(/threads +1\n/);
  expect(await must('settings', 'set', 'gentle', 'off')).toMatch(/gentle +off\n/);
  expect(await must('settings', 'set', 'limit-upload', 'off')).toMatch(/limit-upload +off\n/);
  expect(await must('pause', '--for', '2h')).toContain('Paused until');
  expect(await must('status')).toContain('Paused until');
  await must('resume');
  const file = join(folder, 'plans.json');
  writeFileSync(file, await must('plan', 'export'));
  await must('plan', 'remove', 'Papers', '--forget-snapshots');
  expect(await restic.snapshots()).toEqual([]);
  expect(await must('plan', 'import', file)).toContain('Papers');
  expect(await must('recovery', 'list', 'Black disk')).toContain('holds no settings');
  await must('destination', 'rename', 'Black disk', 'Red disk');
  expect(await must('destination', 'look', 'Red disk')).toContain('connected');
  await must('destination', 'renew', 'Red disk');
  await must('plan', 'remove', 'Papers', '--keep-snapshots');
  await must('destination', 'remove', 'Red disk');
  expect(JSON.parse(readFileSync(join(folder, 'secrets.json'), 'utf8'))).toMatchObject({ secrets: {} });
  expect(await must('service', 'stop')).toContain('has ended');
  expect((await service.ended).code).toBe(0);
});

test('what cannot be meant is told with the way on, and changes nothing', async () => {
  const { folder, run, serve } = person();
  const service = await serve();
  const second = await run('serve');
  expect([second.code, second.stderr]).toEqual([1, expect.stringContaining('runs already')]);
  mkdirSync(join(folder, 'empty'));
  const tries: [string[], RegExp][] = [
    [['plan', 'create', 'X', '--source', folder, '--to', 'nowhere'], /no destination nowhere/],
    [['plan', 'create', 'X', '--source', folder], /not said where/],
    [['plan', 'remove', 'X'], /not said what becomes of its snapshots/],
    [['plan', 'remove', 'X', '--keep-snapshots'], /no plan X/],
    [['plan', 'import', join(folder, 'none.json')], /could not be read/],
    [['run', 'show', 'x'], /no number of a run/],
    [['run', 'show', '99'], /no run 99/],
    [['run', 'cancel', '99'], /no run 99/],
    [['run', 'start', 'X'], /no plan X/],
    [['settings', 'set', 'colour', 'red'], /no setting “colour”/],
    [['settings', 'set', 'threads', '0'], /threads/],
    [['settings', 'set', 'gentle', 'perhaps'], /gentle/],
    [['settings', 'set', 'limit-upload', 'fast'], /no size/],
    [['pause', '--for', 'ever'], /no time to pause for/],
    [['destination', 'connect', join(folder, 'empty')], /no backup repository/],
    [['destination', 'look', 'X'], /no destination X/],
  ];
  for (const [args, words] of tries) {
    const { code, stderr } = await run(...args);
    expect([args, code, stderr]).toEqual([args, expect.toSatisfy((each: number) => each !== 0), expect.stringMatching(words)]);
  }
  service.signal('SIGINT');
  const { code, stdout } = await service.ended;
  expect([code, stdout]).toEqual([0, expect.stringContaining('The service has ended')]);
  rmSync(folder, { recursive: true });
});
