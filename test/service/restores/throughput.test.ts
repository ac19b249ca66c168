/** Restores read from the destination that is fastest, as far as it is known; where nothing is known, a little is read of each. */
import { expect, test } from 'vitest';
import type { DestinationView } from '../../../src/contract/destination.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { Throughput, type ThroughputOptions } from '../../../src/service/restores/throughput.ts';

const day = 24 * 60 * 60_000;

/** Destinations of which each load takes so many milliseconds; `asked` are those that were opened. */
function setting(delays: Record<string, number>, states: Record<string, string> = {}) {
  const kept = new Map<string, unknown>();
  const asked: string[] = [];
  const clock = new FakeClock();
  class Slow extends MemoryStorage {
    readonly delay: number;
    constructor(delay: number) {
      super('slow', new Map([[`data/aa/${'aa'.repeat(32)}`, new Uint8Array(2 << 20)]]));
      this.delay = delay;
    }
    override async load(...args: Parameters<MemoryStorage['load']>): Promise<Uint8Array> {
      const bytes = await super.load(...args);
      await clock.sleep(this.delay);
      return bytes;
    }
  }
  const options: ThroughputOptions = {
    state: { recall: (name) => kept.get(name), remember: (name, value) => void kept.set(name, value) },
    clock,
    destinations: {
      views: () => Object.keys(delays).map((id) => ({ id, now: { state: states[id] ?? 'connected' } }) as unknown as DestinationView),
      open: async (id) => {
        asked.push(id);
        return { storage: new Slow(delays[id]!) } as unknown as Repository;
      },
    },
  };
  const throughput = new Throughput(options);
  /** The order, once all that is waited for has come or is waited for no more. */
  const order = async (...ids: string[]): Promise<string[]> => {
    let found: { destination: string }[] | undefined;
    const finding = throughput.fastestFirst(holders(...ids), signal).then((each) => void (found = each));
    while (found === undefined) await clock.advance(10);
    await finding;
    return found.map(({ destination }) => destination);
  };
  return { throughput, asked, order, clock };
}

const holders = (...ids: string[]): { destination: string }[] => ids.map((destination) => ({ destination }));
const { signal } = new AbortController();

test('the fastest comes first, one that answers too late after it, and what was measured is not measured again for a month', async () => {
  const { throughput, asked, order, clock } = setting({ late: 60_000, slow: 900, fast: 20, middle: 200 });
  expect(await order('late', 'slow', 'fast', 'middle')).toEqual(['fast', 'middle', 'slow', 'late']);
  expect(asked.sort()).toEqual(['fast', 'late', 'middle', 'slow']);
  expect(await order('slow', 'fast')).toEqual(['fast', 'slow']);
  expect(asked).toHaveLength(4);
  clock.jumpWall(31 * day);
  expect(throughput.of('fast')).toBeUndefined();
});

test('what a restore measured counts', async () => {
  const { throughput, asked, order } = setting({ a: 1, b: 1 });
  throughput.note('a', 10 << 20, 100_000);
  throughput.note('b', 10 << 20, 1000);
  expect(await order('a', 'b')).toEqual(['b', 'a']);
  expect(asked).toEqual([]);
  // Too little says nothing.
  throughput.note('b', 100, 100_000);
  expect(throughput.of('b')).toBeGreaterThan(1 << 20);
});

test('one that is known to fail comes last, and is not asked; a single one is not measured', async () => {
  const { asked, order } = setting({ failing: 1, fine: 500 }, { failing: 'failing' });
  expect(await order('failing', 'fine')).toEqual(['fine', 'failing']);
  expect(asked).toEqual(['fine']);
  await order('failing');
  expect(asked).toEqual(['fine']);
});
