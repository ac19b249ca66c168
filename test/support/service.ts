/** A service in a profile of its own, with a client that talks to it over its socket. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { DestinationView } from '../../src/contract/destination.ts';
import type { Plan, PlanRequest } from '../../src/contract/plan.ts';
import type { Run } from '../../src/contract/run.ts';
import { usualSchedule } from '../../src/contract/schedule.ts';
import { type Clock, nextTurn, systemClock } from '../../src/platform/clock.ts';
import type { Drives } from '../../src/platform/drives/volume.ts';
import { hostIdentity } from '../../src/platform/host.ts';
import { Repository } from '../../src/repository/repository.ts';
import { type Hosted, type HostOptions, hostService } from '../../src/service/host.ts';
import { type Profile, profileAt } from '../../src/service/profile.ts';
import type { ServiceOptions } from '../../src/service/service.ts';
import { attach, type ServiceClient } from '../../src/service/rpc/client.ts';
import type { Power } from '../../src/service/schedule/due.ts';
import type { SecretKeeper } from '../../src/service/secrets.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { hastyClock } from './hasty-clock.ts';
import { noCost } from './no-cost-key.ts';
import { scratch } from './tree-literal.ts';

export const password = 'a password';

export class MemoryKeeper implements SecretKeeper {
  readonly kept = new Map<string, string>();

  async get(name: string): Promise<string | undefined> {
    return this.kept.get(name);
  }
  async set(name: string, secret: string): Promise<void> {
    this.kept.set(name, secret);
  }
  async remove(name: string): Promise<void> {
    this.kept.delete(name);
  }
}

export interface RunningService extends Hosted {
  readonly folder: string;
  readonly profile: Profile;
  readonly client: ServiceClient;
  readonly keeper: MemoryKeeper;
  /** What it said of itself. */
  readonly notes: string[];
  /** What it wanted its person to be told. */
  readonly notices: string[];
  /** Resolves when a client wanted it to end. */
  readonly stopped: Promise<void>;
}

/** The real time, but nobody waits for a lock to settle; the scheduler's pauses are as long as they are. */
export const quickClock: Clock = { ...systemClock, sleep: (ms, signal) => (ms <= 1000 ? nextTurn() : systemClock.sleep(ms, signal)) };

/** A computer of which nothing can be unplugged. */
const noDrives: Drives = {
  list: async () => [],
  fingerprint: async () => '',
  identify: async () => Promise.reject(new Error('no volume is known')),
  locate: async () => [],
  space: async () => Promise.reject(new Error('no volume is known')),
  emptyMountPoint: async () => undefined,
  eject: async () => {},
};

export interface ServiceSetup {
  /** To begin again where another one was. */
  readonly folder?: string;
  readonly keeper?: MemoryKeeper;
  readonly clock?: Clock;
  /** The person's home folder. */
  readonly home?: string;
  /** Default: none that could be unplugged. */
  readonly drives?: Drives;
  readonly power?: Power;
  /** For browsers. */
  readonly openHosts?: HostOptions['openHosts'];
}

export async function startService({
  folder = scratch(),
  keeper = new MemoryKeeper(),
  clock = quickClock,
  home,
  drives = noDrives,
  power = { onBattery: false, onMetered: false },
  openHosts,
}: ServiceSetup = {}): Promise<RunningService> {
  const profile = profileAt(join(folder, 'profile'));
  const notes: string[] = [];
  const { promise: stopped, resolve: onStop } = Promise.withResolvers<void>();
  const onNote = (text: string): void => void notes.push(text);
  const notices: string[] = [];
  const onNotice: ServiceOptions['onNotice'] = (what, { kind, message }) => void notices.push(`${what} ${kind}: ${message}`);
  const hosted = await hostService({
    profile,
    clock,
    identity: hostIdentity(),
    keeper,
    drives,
    readPower: async () => power,
    version: '0.0.0',
    onStop,
    onNote,
    onNotice,
    home,
    openHosts,
    // A thousandth of the usual one.
    loginCost: { N: 128, r: 8, p: 1 },
  });
  const { client, close } = await attach(profile);
  let isClosed = false;
  const end = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    close();
    await hosted.close();
  };
  onTestFinished(end);
  return { ...hosted, close: end, folder, profile, client, keeper, notes, notices, stopped };
}

/** An empty repository whose key costs nothing. */
export async function repositoryAt(folder: string, secret = password, polynomial?: string): Promise<Repository> {
  return Repository.init(new LocalStorage(folder), secret, hostIdentity(), hastyClock, { cost: noCost, polynomial });
}

/** Connects an empty repository in the folder `name` of the service's. */
export async function connectFolder(
  { folder, client }: Pick<RunningService, 'folder' | 'client'>,
  name = 'repo',
): Promise<DestinationView> {
  const place = join(folder, name);
  await repositoryAt(place);
  return client.destinations.connect({ place, password });
}

/** A plan that runs by hand unless `more` says otherwise. */
export const createPlan = (
  { client }: Pick<RunningService, 'client'>,
  source: string,
  destination: { readonly id: string },
  more: Partial<PlanRequest> = {},
): Promise<Plan> =>
  client.plans.create({
    name: 'Documents',
    sources: [{ kind: 'folder', path: source }],
    destinations: [{ destination: destination.id, role: 'primary' }],
    schedule: { ...usualSchedule, triggers: [] },
    ...more,
  });

/** The run when it has ended. */
export async function ended({ client }: Pick<RunningService, 'client'>, id: number): Promise<Run> {
  const stop = new AbortController();
  const events = await client.events({}, { signal: stop.signal });
  try {
    const now = await client.runs.get({ id });
    if (now.ended !== null) return now;
    for await (const { event } of events) if (event.type === 'run' && event.run.id === id && event.run.ended !== null) return event.run;
    throw new Error('the events ended before the run');
  } finally {
    stop.abort();
  }
}
