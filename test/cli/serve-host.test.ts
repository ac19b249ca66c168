/** The service and its host as programs: each of them killed. */
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { profileAt } from '../../src/service/profile.ts';
import { attach } from '../../src/service/rpc/client.ts';
import { type CliRun, holdfast } from '../support/cli.ts';
import { createPlan, ended, password, repositoryAt } from '../support/service.ts';
import { scratch, tree } from '../support/tree-literal.ts';

interface Ready {
  readonly pid: number;
}

/** A profile, and what serves it. */
function person() {
  const folder = scratch();
  const env = { HOLDFAST_PROFILE: join(folder, 'profile'), HOLDFAST_SECRETS_FILE: join(folder, 'secrets') };
  const profile = profileAt(env.HOLDFAST_PROFILE);
  const serve = (...args: string[]) => {
    let text = '';
    let host = 0;
    let signal: (name: NodeJS.Signals) => void = () => {};
    const waiting: { readonly count: number; readonly resolve: (ready: Ready) => void }[] = [];
    const readies = (): Ready[] =>
      text
        .split('\n')
        .filter((line) => line.includes('"type":"ready"'))
        .map((line) => JSON.parse(line) as Ready);
    const end: Promise<CliRun> = holdfast(['serve', '--json', ...args], {
      env,
      onStart: (pid) => (host = pid),
      onOutput: (piece, kill) => {
        signal = kill;
        text += piece;
        for (const { count, resolve } of waiting) if (readies().length >= count) resolve(readies()[count - 1]);
      },
    });
    /** The service that is ready for the `count`th time. */
    const ready = (count = 1): Promise<Ready> =>
      new Promise((resolve) => {
        waiting.push({ count, resolve });
        if (readies().length >= count) resolve(readies()[count - 1]);
      });
    onTestFinished(async () => {
      for (const { pid } of readies()) killQuietly(pid);
      killQuietly(host);
      await end;
    });
    return { ready, end, host: () => host, signal: (name: NodeJS.Signals) => signal(name), said: () => text };
  };
  return { folder, env, profile, serve, run: (...args: string[]) => holdfast(args, { env }) };
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

test('a service that is killed in the middle of a run is told of, started again, and goes on with the run', async () => {
  const { folder, profile, serve, run } = person();
  const service = serve('--at-login');
  const { pid } = await service.ready();
  const first = await attach(profile);
  await repositoryAt(join(folder, 'repo'));
  const destination = await first.client.destinations.connect({ place: join(folder, 'repo'), password });
  const source = tree(join(folder, 'src'), Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`f${i}`, `${i}`.repeat(50)])));
  // A gigabyte to read, of which nothing is stored twice: the run is not over before the service is killed.
  writeFileSync(join(source, 'large'), '');
  truncateSync(join(source, 'large'), 1 << 30);
  const plan = await createPlan(first, source, destination);
  await first.client.runs.start({ plan: plan.id });
  process.kill(pid, 'SIGKILL');
  await first.closed;
  const again = await service.ready(2);
  expect(again.pid).not.toBe(pid);
  const second = await attach(profile);
  const { runs } = await second.client.runs.list({});
  expect(runs.map(({ status }) => status).at(-1)).toBe('interrupted');
  expect(await ended(second, runs[0].id)).toMatchObject({ status: 'succeeded', cause: 'resumed', figures: { files: 3002 } });
  second.close();
  expect(service.said()).toContain('The service has ended unexpectedly (signal SIGKILL)');
  expect(readFileSync(join(profile.folder, 'logs/service.log'), 'utf8')).toContain('started again in 1 second');
  // Nobody has just logged in.
  expect(readFileSync(`/proc/${again.pid}/cmdline`, 'utf8')).not.toContain('--at-login');
  // A second one is refused: this one is watched.
  const other = await run('serve');
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('runs already')]);
  expect(await run('service', 'stop')).toMatchObject({ code: 0, stderr: '' });
  expect((await service.end).code).toBe(0);
});

test('a service whose host is killed goes on, says that nobody watches it, and makes way for one that is watched', async () => {
  const { profile, serve, run } = person();
  const first = serve();
  const { pid } = await first.ready();
  process.kill(first.host(), 'SIGKILL');
  const { client, close } = await attach(profile);
  const events = await client.events({});
  for await (const { event } of events) {
    const alarms = event.type === 'state' ? event.state.alarms : event.type === 'alarms' ? event.alarms : [];
    if (alarms.some(({ kind }) => kind === 'host')) break;
  }
  expect(await client.service.info()).toMatchObject({ pid, isWatched: false });
  close();
  expect(await run('status')).toMatchObject({ code: 3, stdout: expect.stringContaining('What watches over the part of Holdfast') });
  const second = serve();
  expect((await second.ready()).pid).not.toBe(pid);
  const status = await run('status');
  expect([status.code, status.stdout]).toEqual([0, expect.not.stringContaining('What watches over')]);
  expect(second.said()).toContain(`(process ${pid}) has lost its host`);
  expect(second.said()).toContain('Solved: What watches over');
});

test('signals to the host end both; so do those to the service, and a second one ends them at once', async () => {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const service = person().serve();
    const { pid } = await service.ready();
    service.signal(name);
    expect((await service.end).code).toBe(0);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  }
  const asked = person().serve();
  process.kill((await asked.ready()).pid, 'SIGTERM');
  expect((await asked.end).code).toBe(0);
  // As systemd does it: to both.
  const both = person().serve();
  process.kill((await both.ready()).pid, 'SIGTERM');
  both.signal('SIGTERM');
  expect((await both.end).code).toBe(0);
  const hung = person().serve();
  const { pid } = await hung.ready();
  process.kill(pid, 'SIGSTOP');
  hung.signal('SIGTERM');
  hung.signal('SIGTERM');
  expect((await hung.end).code).toBe(130);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('while no service runs, its state is told with what the watchdog knew last', async () => {
  const { profile, run } = person();
  mkdirSync(profile.folder);
  const known = { service: { problem: { kind: 'service', why: 'ended', silentForMs: 90_000 }, since: 1, toldAt: 1 } };
  writeFileSync(join(profile.folder, 'watchdog.json'), JSON.stringify({ at: 1, sinceBoot: 1, plans: [], known, awake: {}, seen: {} }));
  const { code, stderr } = await run('status');
  expect([code, stderr]).toEqual([1, expect.stringMatching(/makes backups does not run[^]*service is not running/)]);
});

test('what keeps it from starting is told once, by its own words, and ends both', async () => {
  const { run } = person();
  for (const [args, words] of [
    [['serve', '--port', 'x'], 'is no port'],
    [['serve', '--listen', '127.0.0.1'], 'without encryption'],
    [['serve', '--what'], 'nknown option'],
  ] as const) {
    const { code, stdout, stderr } = await run(...args);
    expect([code, stdout, stderr.split(words).length]).toEqual([1, '', 2]);
  }
  expect((await run('serve', '--help')).stdout).toContain('run the service');
});
