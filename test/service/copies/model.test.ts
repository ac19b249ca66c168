import { expect, test } from 'vitest';
import { type Plan, type PlanDestination, retentionOn } from '../../../src/contract/plan.ts';
import { originalOf } from '../../../src/engine/copy/copies.ts';
import { planRetention } from '../../../src/engine/retention.ts';
import { policyOf } from '../../../src/service/runs/retain.ts';
import { seededRandom } from '../../support/seeded.ts';
import { World } from './copy-world.ts';

const hour = 3_600_000;
const none: Plan['retention'] = { last: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0, within: null };

/** What a random sequence says of itself when it fails. */
interface Story {
  readonly seed: number;
  readonly events: string[];
}

async function play(seed: number): Promise<{ world: World; story: Story; lost: Set<string>; unwanted: Set<string> }> {
  const random = seededRandom(seed);
  const below = (count: number): number => Math.floor(random() * count);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const retention = (): Plan['retention'] => pick([none, none, { ...none, last: 1 }, { ...none, last: 3 }, { ...none, daily: 2 }]);
  const destinations = Array.from({ length: 2 + below(3) }, (_, i): Omit<PlanDestination, 'destination'> => {
    const role = i === 0 ? 'primary' : pick(['standby', 'copy', 'copy'] as const);
    const own = random() < 0.5 ? { retention: retention() } : {};
    const times = role === 'copy' && random() < 0.3 ? { schedule: [{ kind: 'interval' as const, minutes: pick([60, 360, 1440]) }] } : {};
    return { role, ...own, ...times };
  });
  const world = new World(destinations, retention());
  const story: Story = { seed, events: [JSON.stringify(destinations)] };
  /** Forgotten by somebody somewhere: nobody promises them any more but where they are held. */
  const lost = new Set<string>();
  const unwanted = new Set<string>();
  await world.settle();
  for (let i = 0, count = 4 + below(12); i < count; i++) {
    const place = pick(world.places);
    const what = pick([
      'backup',
      'backup',
      'backup',
      'outage',
      'return',
      'told',
      'forget',
      'delete',
      'clock',
      'clock',
      'restart',
      'cut',
      'damage',
    ] as const);
    story.events.push(`${what} ${place.id}`);
    const snapshot = place.held.length > 0 ? pick(place.held) : undefined;
    if (what === 'backup') await world.backUp();
    else if (what === 'outage') place.isUp = false;
    else if (what === 'return' || what === 'told') await world.comeBack(place, what === 'told');
    else if (what === 'clock') await world.pass(pick([hour / 60, hour, 7 * hour, 30 * hour]));
    else if (what === 'restart') await world.restart();
    else if (what === 'cut') world.cutAfter = below(3);
    else if (what === 'damage' && snapshot) {
      world.damaged.add(`${place.id} ${originalOf(snapshot)}`);
      lost.add(originalOf(snapshot));
    } else if (snapshot && place.isUp && (what === 'forget' || what === 'delete')) {
      lost.add(originalOf(snapshot));
      if (what === 'delete') unwanted.add(`${place.id} ${originalOf(snapshot)}`);
      await world.forget(place, snapshot, what === 'delete');
    }
  }
  // Everything comes back, and time passes.
  story.events.push('all return');
  world.cutAfter = Infinity;
  world.damaged.clear();
  for (const place of world.places) await world.comeBack(place, false);
  for (let i = 0; i < 5; i++) {
    // Somebody who looks at the list learns what others did there.
    for (const place of world.places) place.isStale = true;
    await world.pass(16 * hour);
  }
  return { world, story, lost, unwanted };
}

/** What is promised and not there; by another way than the one that decides what is copied. */
function missing(world: World, unwanted: ReadonlySet<string>): string[] {
  const everything = new Map(world.places.flatMap(({ held }) => held).map((snapshot) => [originalOf(snapshot), snapshot]));
  return world.plan.destinations.flatMap(({ destination, role }) => {
    if (role === 'standby') return [];
    const { held } = world.place(destination);
    const has = new Set(held.map(originalOf));
    const wanted = [...everything.values()].filter(
      (each) => !has.has(originalOf(each)) && !unwanted.has(`${destination} ${originalOf(each)}`),
    );
    const policy = policyOf(retentionOn(world.plan, destination));
    const all = [...held, ...wanted].map((each) => ({ ...each, id: originalOf(each) }));
    const kept = policy
      ? new Set(
          planRetention(all, policy, { now: world.now, groupBy: { host: false, paths: false, tags: false } }).flatMap(({ keep }) =>
            keep.map(({ snapshot }) => snapshot.id),
          ),
        )
      : undefined;
    return wanted.filter((each) => !kept || kept.has(originalOf(each))).map((each) => `${destination} lacks ${each.time}`);
  });
}

/** Of a destination that keeps everything: what was made and nobody has forgotten has to be there, however long it was away. */
function vanished(world: World, lost: ReadonlySet<string>): string[] {
  return world.plan.destinations.flatMap(({ destination, role }) => {
    if (role === 'standby' || policyOf(retentionOn(world.plan, destination))) return [];
    const has = new Set(world.place(destination).held.map(originalOf));
    return world.made.filter(({ id }) => !has.has(id) && !lost.has(id)).map(({ time }) => `${destination} never got ${time}`);
  });
}

const sequences = 10_000;

test(`after each of ${sequences} random sequences every promised copy exists, and nobody was asked without end`, async () => {
  let snapshots = 0;
  let copies = 0;
  for (let seed = 1; seed <= sequences; seed++) {
    const { world, story, lost, unwanted } = await play(seed);
    const runs = world.runs.filter(({ kind }) => kind === 'copy').length;
    snapshots += world.made.length;
    copies += runs;
    const found = [...world.wrong, ...missing(world, unwanted), ...vanished(world, lost)];
    if (runs > 20 + 8 * world.made.length * world.places.length) found.push(`${runs} copies`);
    if (found.length > 0) expect.fail(`${found.join('; ')}\n${story.seed}: ${story.events.join(', ')}`);
  }
  // The sequences are about something.
  expect(snapshots).toBeGreaterThan(2 * sequences);
  expect(copies).toBeGreaterThan(sequences);
});
