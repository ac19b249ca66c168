import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Alarm } from '../../../src/contract/state.ts';
import type { ChildEnd, ChildListener, Failure, ToService } from '../../../src/service/watchdog/messages.ts';
import { nodeChild } from '../../../src/service/watchdog/node-child.ts';
import { Supervisor } from '../../../src/service/watchdog/supervisor.ts';
import type { WatchedPlan } from '../../../src/service/watchdog/watchdog.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { scratch } from '../../support/tree-literal.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** A service whose process is this test. */
class Service {
  readonly listener: ChildListener;
  readonly isAgain: boolean;
  readonly got: ToService[] = [];
  readonly #clock: FakeClock;
  /** Such as a loop that does not end. */
  isHung = false;
  hasEnded = false;
  wasKilled = false;
  #stop: () => void = () => {};

  constructor(listener: ChildListener, isAgain: boolean, clock: FakeClock) {
    this.listener = listener;
    this.isAgain = isAgain;
    this.#clock = clock;
  }

  begin(profile: string): this {
    this.listener.onMessage({ type: 'hello', profile });
    this.#stop = this.#clock.every(10 * second, () => {
      if (!this.isHung) this.listener.onMessage({ type: 'beat' });
    });
    return this;
  }

  ready(...plans: WatchedPlan[]): this {
    this.listener.onMessage({ type: 'watched', plans });
    this.listener.onMessage({ type: 'ready' });
    return this;
  }

  fail(failure: Failure): void {
    this.listener.onMessage({ type: 'failed', failure });
    this.end({ code: 1, signal: null });
  }

  end(how: ChildEnd = { code: null, signal: 'SIGSEGV' }): void {
    this.#stop();
    this.hasEnded = true;
    this.listener.onEnd(how);
  }

  get alarms(): readonly Alarm[] {
    return this.got.flatMap((message) => (message.type === 'alarms' ? [message.alarms] : [])).at(-1) ?? [];
  }
}

function host(profile = join(scratch(), 'profile')) {
  mkdirSync(profile, { recursive: true });
  const clock = new FakeClock(Date.parse('2026-03-01T12:00Z'));
  const services: Service[] = [];
  const told: string[] = [];
  const notes: string[] = [];
  const supervisor = new Supervisor({
    clock,
    startChild: (listener, isAgain) => {
      const service = new Service(listener, isAgain, clock);
      services.push(service);
      return {
        send: (message) => void service.got.push(message),
        kill: () => {
          service.wasKilled = true;
          if (!service.hasEnded) service.end({ code: null, signal: 'SIGKILL' });
        },
      };
    },
    onNotice: (what, { kind }) => void told.push(`${what} ${kind}`),
    onNote: (text) => void notes.push(text),
  });
  const ended = supervisor.run();
  const newest = (): Service => services.at(-1)!;
  return { clock, supervisor, services, newest, told, notes, ended, profile };
}

test('a service that ends is started again, and that it did is noted; when it stays, nobody needs to be told', async () => {
  const { clock, newest, services, told, notes, profile } = host();
  newest().begin(profile).ready();
  expect(services[0].isAgain).toBe(false);
  await clock.advance(hour);
  newest().end();
  await clock.advance(second);
  expect(services).toHaveLength(2);
  expect(newest().isAgain).toBe(true);
  newest().begin(profile).ready();
  await clock.advance(day);
  expect([services.length, told]).toEqual([2, []]);
  expect(notes).toEqual([expect.stringContaining('unexpectedly (signal SIGSEGV)')]);
  expect(readFileSync(join(profile, 'logs/service.log'), 'utf8')).toContain('It is started again in 1 second.');
});

test('one that ends again and again is started with growing pauses; the person is told once, each day, and when it is solved', async () => {
  const { clock, newest, services, told, notes, profile, supervisor } = host();
  newest().begin(profile).ready();
  const pauses: number[] = [];
  for (let i = 0; i < 10; i++) {
    newest().end();
    const count = services.length;
    const before = clock.monotonic();
    while (services.length === count) await clock.advance(second);
    pauses.push((clock.monotonic() - before) / second);
    newest().begin(profile).ready();
    await clock.advance(5 * second);
  }
  expect(pauses).toEqual([1, 2, 5, 15, 30, 60, 120, 300, 300, 300]);
  expect(told).toEqual(['raised service']);
  expect(newest().alarms).toEqual([expect.objectContaining({ key: 'service', message: expect.stringContaining('SIGSEGV') })]);
  expect(supervisor.alarms()).toEqual(newest().alarms);
  expect(notes.at(-1)).toContain('in 300 seconds');
  newest().end();
  // Its next tries fail.
  for (let passed = 0; passed < day + hour; passed += minute) {
    await clock.advance(minute);
    if (!newest().hasEnded) newest().begin(profile).fail({ code: 'state-failed', message: 'The disk is full.', guidance: 'Make space.' });
  }
  expect(told).toEqual(['raised service', 'repeated service']);
  expect(supervisor.alarms()[0]).toMatchObject({ message: expect.stringContaining('The disk is full.'), guidance: 'Make space.' });
  while (newest().hasEnded) await clock.advance(minute);
  newest().begin(profile).ready();
  await clock.advance(50 * second);
  expect(told).toHaveLength(2);
  await clock.advance(30 * second);
  expect(told.slice(2)).toEqual(['solved service']);
  expect(newest().alarms).toEqual([]);
  // And its pauses are short again.
  newest().end();
  await clock.advance(second);
  expect(newest().hasEnded).toBe(false);
});

describe('a service that hangs', () => {
  test('is told of, ended and started again; a short stall is no matter', async () => {
    const { clock, newest, services, told, notes, profile } = host();
    newest().begin(profile).ready();
    newest().isHung = true;
    await clock.advance(2 * minute);
    newest().isHung = false;
    await clock.advance(hour);
    expect([services.length, told, notes]).toEqual([1, [], []]);
    newest().isHung = true;
    await clock.advance(4 * minute);
    expect([services[0].wasKilled, told]).toEqual([true, ['raised service']]);
    expect(notes[0]).toContain('does not answer');
    newest().begin(profile).ready();
    await clock.advance(2 * minute);
    expect(told).toEqual(['raised service', 'solved service']);
  });

  test('is not one whose computer sleeps, whatever clock goes on meanwhile', async () => {
    const { clock, newest, services, told, profile } = host();
    newest().begin(profile).ready();
    // Linux, macOS: monotonic time stands still.
    clock.standby(3 * day);
    await clock.advance(minute);
    // Windows: it goes on, and no timer runs; the same for a host that was stopped.
    const { monotonic } = clock;
    clock.monotonic = () => monotonic.call(clock) + 3 * day;
    await clock.advance(minute);
    newest().isHung = true;
    await clock.advance(2 * minute);
    clock.monotonic = () => monotonic.call(clock) + 30 * day;
    await clock.advance(10 * second);
    newest().isHung = false;
    await clock.advance(hour);
    expect([services.length, told]).toEqual([1, []]);
  });

  test('and does not even die, since it waits for a disk, is told of until it does', async () => {
    const { clock, newest, services, told, profile } = host();
    newest().begin(profile).ready();
    newest().isHung = true;
    newest().hasEnded = true;
    await clock.advance(day + hour);
    expect([services.length, told]).toEqual([1, ['raised service', 'repeated service']]);
    newest().end();
    await clock.advance(second);
    newest().begin(profile).ready();
    await clock.advance(2 * minute);
    expect(told.at(-1)).toBe('solved service');
  });

  test('ends at once when it is to end', async () => {
    const { clock, newest, supervisor, ended, profile } = host();
    newest().begin(profile).ready();
    newest().isHung = true;
    await clock.advance(20 * second);
    supervisor.stop();
    await clock.advance(20 * second);
    expect(await ended).toMatchObject({ why: 'stopped', child: { signal: 'SIGKILL' } });
  });
});

test('that backups are overdue is told though the service is dead, and though the host was started anew', async () => {
  const first = host();
  const { clock, newest, told, profile } = first;
  const destination = { id: 'd', name: 'Disk', targetMs: hour, lastSuccess: clock.now(), isThere: true };
  newest()
    .begin(profile)
    .ready({ id: 'p', name: 'Documents', enabled: true, since: clock.now(), destinations: [destination] });
  newest().end();
  await clock.advance(2 * hour);
  expect(told).toEqual(['raised service', 'raised overdue']);
  first.supervisor.stopAtOnce();
  await first.ended;
  const second = host(profile);
  second.clock.jumpWall(2 * hour);
  second.newest().begin(profile);
  // The state cannot be read, so that the service has nothing to say of its plans.
  second.newest().listener.onMessage({ type: 'ready' });
  await second.clock.advance(minute);
  expect(second.newest().alarms).toEqual([
    expect.objectContaining({ kind: 'overdue', message: expect.stringContaining('“Documents” on “Disk”') }),
  ]);
  expect(second.told).toEqual(['solved service']);
});

describe('the end', () => {
  test('that somebody wanted is one, also while the service is about to be started again', async () => {
    const wanted = host();
    wanted.newest().begin(wanted.profile).ready();
    wanted.supervisor.stop();
    expect(wanted.newest().got.at(-1)).toEqual({ type: 'stop' });
    wanted.newest().end({ code: 0, signal: null });
    expect(await wanted.ended).toMatchObject({ why: 'stopped', child: { code: 0 } });
    // Over the service's own socket.
    const asked = host();
    asked.newest().begin(asked.profile).ready().listener.onMessage({ type: 'stopping' });
    asked.newest().end({ code: 0, signal: null });
    expect(await asked.ended).toMatchObject({ why: 'stopped' });
    const between = host();
    between.newest().begin(between.profile).ready();
    between.newest().end();
    between.supervisor.stop();
    expect(await between.ended).toMatchObject({ why: 'stopped' });
    expect(between.services).toHaveLength(1);
    const atOnce = host();
    atOnce.newest().begin(atOnce.profile).ready();
    atOnce.supervisor.stopAtOnce();
    expect(await atOnce.ended).toMatchObject({ why: 'stopped', child: { signal: 'SIGKILL' } });
    expect([between.clock.pending, atOnce.clock.pending]).toEqual([0, 0]);
  });

  test('of one that was never ready is for whoever started it; so is that another has the profile', async () => {
    const newer: Failure = { code: 'state-newer', message: 'It is newer.', guidance: 'Install the newer one.' };
    const failed = host();
    failed.newest().begin(failed.profile).fail(newer);
    expect(await failed.ended).toEqual({ why: 'not-started', failure: newer, child: { code: 1, signal: null } });
    const killed = host();
    killed.newest().end();
    expect(await killed.ended).toMatchObject({ why: 'not-started', failure: undefined, child: { signal: 'SIGSEGV' } });
    const taken = host();
    taken.newest().begin(taken.profile).ready();
    taken.newest().end();
    await taken.clock.advance(second);
    taken.newest().begin(taken.profile).fail({ code: 'service-running', message: 'There is one.', guidance: 'Use it.' });
    expect(await taken.ended).toMatchObject({ why: 'not-started', failure: { code: 'service-running' } });
  });
});

test('what the watchdog remembers may be lost, tampered with or not be stored: it looks on, and says so once', async () => {
  for (const text of ['', '{', '[]', '{"at":1}', '{"at":1,"sinceBoot":1,"plans":[1],"known":{},"awake":{},"seen":{}}']) {
    const profile = scratch();
    writeFileSync(join(profile, 'watchdog.json'), text);
    const { newest, told } = host(profile);
    newest().begin(profile).ready();
    expect(told).toEqual([]);
    expect(JSON.parse(readFileSync(join(profile, 'watchdog.json'), 'utf8'))).toMatchObject({ plans: [], known: {} });
  }
  const { clock, newest, notes, told, profile } = host();
  newest().begin(profile).ready();
  rmSync(profile, { recursive: true });
  // A folder can no more be made where a file is.
  writeFileSync(profile, '');
  clock.jumpWall(hour);
  await clock.advance(hour);
  expect(told).toEqual(['raised clock']);
  expect(notes).toEqual([expect.stringContaining('cannot store what it remembers')]);
  rmSync(profile);
  mkdirSync(profile);
  await clock.advance(hour);
  expect(notes.slice(1)).toEqual(['The watchdog can store again what it remembers.']);
});

describe('a process', () => {
  /** One that acts as its first argument says, with what a Node child needs. */
  const program = (): string => {
    const file = join(scratch(), 'service.ts');
    const at = (path: string): string => JSON.stringify(new URL(`../../../src/${path}`, import.meta.url).href);
    writeFileSync(
      file,
      `import { systemClock } from ${at('platform/clock.ts')};
       import { hostOfThisProcess } from ${at('service/watchdog/node-child.ts')};
       import { HostLink } from ${at('service/watchdog/host-link.ts')};
       const channel = hostOfThisProcess();
       const link = new HostLink({ channel, clock: systemClock, profile: process.argv[2], onStop: () => { link.stopping(); process.exit(0); } });
       link.ready();`,
    );
    return file;
  };

  test('that is stopped for good is ended and replaced by one that works; messages go both ways', async () => {
    const profile = scratch();
    const clock = new FakeClock();
    const readies = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const ended1 = Promise.withResolvers<string>();
    const start = nodeChild(program(), () => [profile]);
    let kill: () => void = () => {};
    let ready = 0;
    const supervisor = new Supervisor({
      clock,
      startChild: (listener, isAgain) => {
        const child = start(listener, isAgain);
        ({ kill } = child);
        return child;
      },
      onNotice: () => {},
      onNote: (text) => text.includes('started again') && ended1.resolve(text),
      onReady: () => readies[ready++].resolve(),
    });
    onTestFinished(() => kill());
    const ended = supervisor.run();
    await readies[0].promise;
    // By the host's clock it is silent for long.
    await clock.advance(4 * minute);
    expect(await ended1.promise).toContain('(signal SIGKILL)');
    await clock.advance(second);
    await readies[1].promise;
    supervisor.stop();
    expect(await ended).toMatchObject({ why: 'stopped', child: { code: 0 } });
  });

  test('that cannot be started is one that has ended', async () => {
    const end = Promise.withResolvers<ChildEnd>();
    nodeChild(join(scratch(), 'none.js'), () => [])({ onMessage: () => {}, onEnd: end.resolve }, false);
    expect(await end.promise).toMatchObject({ code: 1 });
  });
});
