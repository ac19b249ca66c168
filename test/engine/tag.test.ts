/** Tags change: what changes, what stays, and that no snapshot is ever lost or made twice, wherever a run ends. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { executeCheck } from '../../src/engine/check/check.ts';
import { planCheck } from '../../src/engine/check/plan.ts';
import { executeTag, planTag, type TagRequest } from '../../src/engine/tag.ts';
import { RunControl } from '../../src/platform/cancellation.ts';
import { Lock } from '../../src/repository/locks.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { type Effect, FaultyStorage } from '../../src/storage/faulty.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { CancellingStorage } from '../support/cancelling-storage.ts';
import { backup, makeRepository, openRepository, password, resticOn, runOptions } from '../support/engine.ts';
import { Forge } from '../support/forge.ts';
import { hasty } from '../support/hostile.ts';
import { expectCleanCheck } from '../support/judge.ts';
import { atEveryPrefix, deadHolder } from '../support/prefixes.ts';
import { scratch, sharedScratch, tree } from '../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../support/unhandled.ts';
import { expectWhole } from '../support/whole-repository.ts';
import { writeToDisk } from './check-fixture.ts';

refuseUnhandledRejections();

/** Four snapshots: of two hosts, tagged `a`, `a` and `b`, `c`, and not at all. */
const base = new MemoryStorage('the destination');
const place = sharedScratch('tag');
let ids: readonly string[] = [];

beforeAll(async () => {
  const source = tree(join(place, 'source'), { 'a.txt': 'alpha', docs: { 'b.txt': 'beta' } });
  const repository = await makeRepository(base);
  const made: string[] = [];
  for (const [hostname, tags] of [
    ['anna', ['a']],
    ['anna', ['a', 'b']],
    ['berta', ['c']],
    ['berta', []],
  ] as const) {
    const { snapshot } = await backup(repository, source, { ...hasty, hostname });
    made.push(await retagged(repository, snapshot, tags));
  }
  ids = made;
});

/** The snapshot with these tags and no others, as if it had been made so. */
async function retagged(repository: Repository, id: string, tags: readonly string[]): Promise<string> {
  const { id: _, ...fields } = await repository.snapshot(id);
  await repository.storage.remove({ kind: 'snapshot', name: id });
  return repository.saveSnapshot({ ...fields, tags });
}

const tag = (repository: Repository, request: TagRequest, options: Parameters<typeof runOptions>[0] = {}) =>
  executeTag(repository, request, runOptions({ ...hasty, ...options }));

/** The tags of each snapshot, oldest first. */
const tagsIn = async (storage: Storage): Promise<string[][]> =>
  (await (await openRepository(storage)).snapshots()).map(({ tags }) => [...(tags ?? [])]);

describe('tags', () => {
  test.each<[string, TagRequest, string[][]]>([
    ['are added', { add: ['x'] }, [['a', 'x'], ['a', 'b', 'x'], ['c', 'x'], ['x']]],
    [
      'are added once',
      { add: ['x', 'x', 'a'] },
      [
        ['a', 'x'],
        ['a', 'b', 'x'],
        ['c', 'x', 'a'],
        ['x', 'a'],
      ],
    ],
    ['are removed', { remove: ['a'] }, [[], ['b'], ['c'], []]],
    ['are added and others removed', { add: ['x'], remove: ['a', 'c'] }, [['x'], ['b', 'x'], ['x'], ['x']]],
    ['are removed when they are also added', { add: ['a'], remove: ['a'] }, [[], ['b'], ['c'], []]],
    [
      'are set',
      { set: ['x', 'y', 'x'] },
      [
        ['x', 'y'],
        ['x', 'y'],
        ['x', 'y'],
        ['x', 'y'],
      ],
    ],
    ['are all taken away', { set: [] }, [[], [], [], []]],
    [
      'change only where the filter says so',
      { add: ['x'], filter: ({ hostname }) => hostname === 'berta' },
      [['a'], ['a', 'b'], ['c', 'x'], ['x']],
    ],
    ['change only of the latest', { add: ['x'], snapshots: ['latest'] }, [['a'], ['a', 'b'], ['c'], ['x']]],
  ])('%s', async (_, request, expected) => {
    const storage = base.clone();
    const { plan, changed } = await tag(await openRepository(storage), request);
    expect((await tagsIn(storage)).map((tags) => tags.sort())).toEqual(expected.map((tags) => tags.sort()));
    // A snapshot that has its tags already keeps its ID.
    const before = await tagsIn(base);
    const same = ids.filter((_id, i) => JSON.stringify(before[i]!.sort()) === JSON.stringify(expected[i]!.sort()));
    const now = (await (await openRepository(storage)).snapshots()).map(({ id }) => id);
    expect(now.filter((id) => ids.includes(id)).sort()).toEqual([...same].sort());
    expect(changed.map(({ old }) => old)).toEqual(plan.change.map(({ snapshot }) => snapshot.id));
    expect(changed.map(({ new: id }) => id).sort()).toEqual(now.filter((id) => !ids.includes(id)).sort());
  });

  test('of named snapshots change, each named in any of its ways, and only of these', async () => {
    const storage = base.clone();
    const { plan } = await tag(await openRepository(storage), { add: ['x'], snapshots: [ids[1]!, ids[2]!.slice(0, 10), ids[2]!] });
    expect(plan.change.map(({ snapshot }) => snapshot.id)).toEqual([ids[1], ids[2]]);
    expect(plan.unchanged).toEqual([]);
    expect((await tagsIn(storage)).map((tags) => tags.includes('x'))).toEqual([false, true, true, false]);
  });

  test('of nobody change when there is no snapshot, no filter lets one through, or none is meant', async () => {
    const storage = base.clone();
    expect((await tag(await openRepository(storage), { add: ['x'], filter: () => false })).changed).toEqual([]);
    const empty = await makeRepository(new MemoryStorage());
    expect((await tag(empty, { add: ['x'] })).changed).toEqual([]);
    for (const [snapshots, code] of [
      [['nonsense'], 'snapshot-not-found'],
      [[''], 'snapshot-not-found'],
      [['latest', 'f'.repeat(64)], 'snapshot-not-found'],
    ] as const)
      await expect(tag(await openRepository(storage), { add: ['x'], snapshots })).rejects.toMatchObject({ code });
    await expect(tag(empty, { add: ['x'], snapshots: ['latest'] })).rejects.toMatchObject({ code: 'snapshot-not-found' });
    expect(storage.files().filter(({ kind }) => kind === 'snapshot')).toEqual(base.files().filter(({ kind }) => kind === 'snapshot'));
  });

  test('that contradict each other, or none, are refused before anything is looked at', async () => {
    const storage = new FaultyStorage(base.clone());
    const repository = await openRepository(storage);
    const calls = storage.calls.length;
    for (const request of [{}, { add: [] }, { set: ['x'], add: ['y'] }, { set: [], remove: ['y'] }]) {
      await expect(tag(repository, request)).rejects.toMatchObject({ code: 'bad-usage' });
      await expect(planTag(repository, request)).rejects.toMatchObject({ code: 'bad-usage' });
    }
    expect(storage.calls.length).toBe(calls);
  });
});

describe('the tags that Holdfast gives itself', () => {
  const full = 'strategy=full';
  const differential = ['strategy=differential', `base=${'0'.repeat(64)}`];

  test.each<[string, string[], TagRequest, string[]]>([
    ['stay when others are set', ['a', full], { set: ['x'] }, ['x', full]],
    ['stay when all are taken away', ['a', ...differential], { set: [] }, differential],
    [
      'stay when others are set, that of a plan too',
      ['plan=0e9bb5d5-6b1e-4f3c-9b3b-0a3f5d1c2e4f'],
      { set: ['x'] },
      ['x', 'plan=0e9bb5d5-6b1e-4f3c-9b3b-0a3f5d1c2e4f'],
    ],
    ['are set when they are named', ['a', ...differential], { set: [full] }, [full, differential[1]!]],
    ['are there once when they are named', [full, 'a'], { set: ['x', full] }, ['x', full]],
    ['are removed when they are named', ['a', full], { remove: [full] }, ['a']],
    ['are not those that only look like them', ['base=camp', 'strategy=mine', 'plan=b', 'a'], { set: ['x'] }, ['x']],
  ])('%s', async (_, before, request, after) => {
    const storage = base.clone();
    const repository = await openRepository(storage);
    const id = await retagged(repository, ids[0]!, before);
    await tag(repository, { ...request, snapshots: [id] });
    expect((await tagsIn(storage))[0]).toEqual(after);
  });

  test('let a differential backup find the full one afterwards', async () => {
    const source = tree(join(scratch('tag'), 'source'), { 'a.txt': 'alpha' });
    const repository = await makeRepository(new MemoryStorage());
    const { snapshot } = await backup(repository, source, hasty);
    const { changed } = await tag(repository, { set: ['important'], snapshots: [snapshot] });
    await backup(repository, source, hasty);
    const { plan } = await backup(repository, source, { ...hasty, strategy: 'differential' });
    expect(plan).toMatchObject({ strategy: 'differential', parent: { id: changed[0]!.new }, notes: [] });
  });
});

describe('a snapshot whose tags change', () => {
  test('says where it comes from, for ever where it came from first, and nothing else otherwise', async () => {
    const storage = base.clone();
    const repository = await openRepository(storage);
    const before = await repository.snapshot(ids[0]!);
    const { changed: first } = await tag(repository, { add: ['x'], snapshots: [ids[0]!] });
    const { changed: second } = await tag(repository, { add: ['y'], snapshots: [first[0]!.new] });
    const after = await repository.snapshot(second[0]!.new);
    expect(after).toEqual({ ...before, id: after.id, tags: ['a', 'x', 'y'], original: ids[0] });
    expect((await repository.names('snapshot')).includes(first[0]!.new)).toBe(false);
  });

  test('keeps what only other programs know', async () => {
    const storage = base.clone();
    const forge = new Forge(await openRepository(storage));
    const id = await forge.snapshot((await forge.repository.snapshot(ids[0]!)).tree, {
      delete: 'never',
      label: 'mine',
      summary: { more: 1 },
    });
    const { changed } = await tag(forge.repository, { add: ['x'], snapshots: [id] });
    const text = (await forge.repository.loadItem('snapshot', changed[0]!.new)).toString();
    expect(JSON.parse(text)).toMatchObject({ delete: 'never', label: 'mine', summary: { more: 1 }, tags: ['x'], original: id });
  });

  test('may have tags of any characters', async () => {
    const storage = base.clone();
    const tags = ['with blank', 'ä€😀', '"quoted"', 'new\nline', '\u0000', '<&>', 'x'.repeat(10_000)];
    await tag(await openRepository(storage), { set: tags });
    for (const each of await tagsIn(storage)) expect(each).toEqual(tags);
  });
});

describe('a plan', () => {
  test('changes nothing, takes no lock, and is what the execution then does', async () => {
    const storage = base.clone();
    const repository = await openRepository(storage);
    const request: TagRequest = { add: ['a'] };
    const planned = await planTag(repository, request);
    expect(storage.mutations).toBe(0);
    expect(planned.change.map(({ snapshot, tags }) => [snapshot.id, tags])).toEqual([
      [ids[2], ['c', 'a']],
      [ids[3], ['a']],
    ]);
    expect(planned.unchanged).toEqual([ids[0], ids[1]]);
    const told: unknown[] = [];
    const { plan } = await executeTag(repository, request, { ...runOptions(hasty), onPlan: (made) => told.push(made) });
    expect(plan).toEqual(planned);
    expect(told).toEqual([planned]);
  });

  test('is made anew under the lock, so that a snapshot that was forgotten meanwhile does not come back', async () => {
    const storage = base.clone();
    const repository = await openRepository(storage);
    await planTag(repository, { add: ['x'] });
    await storage.remove({ kind: 'snapshot', name: ids[0]! });
    expect((await tag(repository, { add: ['x'] })).changed).toHaveLength(3);
    expect(await repository.names('snapshot')).toHaveLength(3);
  });
});

describe('a snapshot that cannot be read', () => {
  const damaged = async (): Promise<MemoryStorage> => {
    const storage = base.clone();
    storage.tamper({ kind: 'snapshot', name: ids[1]! }, (bytes) => bytes.slice(0, -1));
    return storage;
  };

  test('is named and stays; the others change', async () => {
    const storage = await damaged();
    const { plan, changed } = await tag(await openRepository(storage), { add: ['x'] });
    expect(plan.damaged.map(({ id }) => id)).toEqual([ids[1]]);
    expect(changed).toHaveLength(3);
    expect(storage.files().some(({ name }) => name === ids[1])).toBe(true);
  });

  test('may not be named itself, and may be the latest', async () => {
    const storage = await damaged();
    const repository = await openRepository(storage);
    await expect(tag(repository, { add: ['x'], snapshots: [ids[1]!] })).rejects.toMatchObject({ code: 'item-tampered' });
    expect((await tag(repository, { add: ['x'], snapshots: ['latest'] })).plan.damaged).toHaveLength(1);
    expect((await tag(repository, { add: ['y'], snapshots: [ids[0]!] })).plan.damaged).toEqual([]);
  });
});

test('another program at work keeps tags from changing, and a run leaves no lock', async () => {
  const storage = base.clone();
  const repository = await openRepository(storage);
  const lock = await Lock.acquire(repository, { ...runOptions().holder, hostname: 'elsewhere' }, false, hasty.clock);
  await expect(tag(repository, { add: ['x'] })).rejects.toMatchObject({ code: 'locked' });
  await lock.release();
  await tag(repository, { add: ['x'] });
  expect(storage.files().filter(({ kind }) => kind === 'lock')).toEqual([]);
});

/** Whatever happened, each snapshot is there, old or new or both, whole and restorable. */
async function expectEverySnapshot(storage: Storage): Promise<void> {
  const { snapshots } = await expectWhole(storage);
  const repository = await openRepository(storage);
  const all = await repository.snapshots();
  for (const id of ids) {
    const own = all.filter((snapshot) => snapshot.id === id || snapshot.original === id);
    expect([1, 2], `copies of ${id}`).toContain(own.length);
    for (const each of own) expect(snapshots.get(each.id)).toEqual([...snapshots.values()][0]);
  }
}

const request: TagRequest = { add: ['x'], remove: ['b'] };

/** The same request again completes it: each snapshot is there once, with its new tags. */
async function expectCompletion(storage: Storage): Promise<void> {
  const repository = await openRepository(storage);
  await tag(repository, request);
  expect((await tagsIn(storage)).map((tags) => tags.sort())).toEqual([['a', 'x'], ['a', 'x'], ['c', 'x'], ['x']]);
  const all = await repository.snapshots();
  expect(all.map(({ original }) => original).sort()).toEqual([...ids].sort());
  await expectWhole(storage);
}

describe('a run that does not end', () => {
  test('after any of its writes leaves every snapshot, and the same again completes it without a copy too many', async () => {
    const storage = base.clone();
    await tag(await openRepository(storage), request, { holder: deadHolder() });
    expect(storage.mutations).toBe(2 + 2 * ids.length);
    let both = 0;
    await atEveryPrefix(storage, 0, async (state) => {
      await expectEverySnapshot(state);
      if ((await tagsIn(state)).length > ids.length) both += 1;
      const repository = await openRepository(state);
      expect((await executeCheck(repository, await planCheck(repository), runOptions(hasty))).findings).toEqual([]);
      await expectCompletion(state);
    });
    expect(both).toBeGreaterThan(0);
  });

  test('because any operation failed says so, leaves every snapshot, and the same again completes it', async () => {
    const probe = new FaultyStorage(base.clone());
    const opened = await openRepository(probe);
    const opening = probe.calls.length;
    await tag(opened, request);
    const operations = probe.calls.length - opening;
    expect(operations).toBeGreaterThan(20);
    for (const when of ['before', 'after'] as const) {
      for (let nth = 1; nth <= operations; nth++) {
        const inner = base.clone();
        const faulty = new FaultyStorage(inner);
        const repository = await openRepository(faulty);
        const before = faulty.calls.length;
        faulty.script([{ at: { nth }, effect: { do: 'fail', when } }]);
        const outcome = await tag(repository, request).then(
          () => undefined,
          (error: unknown) => error as { code: string },
        );
        const call = faulty.calls[before + nth - 1]!;
        // A lock that cannot be removed afterwards goes stale: nothing else may go unsaid.
        if (outcome) expect(['storage-failed', 'lock-unreadable'], `operation ${nth}`).toContain(outcome.code);
        else expect(call.kind === 'lock', `operation ${nth}, ${call.call} ${call.kind}`).toBe(true);
        await expectEverySnapshot(inner);
        await expectCompletion(inner);
      }
    }
  });

  test('because it was cancelled leaves every snapshot, and the same again completes it', async () => {
    const outcomes = new Set<string>();
    for (let nth = 1; nth <= 2 * ids.length + 2; nth++) {
      const control = new RunControl();
      const storage = new CancellingStorage(base, control, nth);
      const outcome = await tag(await openRepository(storage), request, { control }).then(
        () => 'done',
        (error: { code: string }) => error.code,
      );
      outcomes.add(outcome);
      await expectEverySnapshot(storage);
      await expectCompletion(storage);
    }
    expect([...outcomes].sort()).toEqual(['cancelled', 'done']);
  });
});

test.each<[string, Effect]>([
  ['stores nothing and says it did', { do: 'lose' }],
  ['stores half and says it stored all', { do: 'tear', length: 60 }],
  ['stores half and fails', { do: 'tear', length: 60, code: 'storage-failed' }],
])('a destination that %s takes no snapshot away', async (_, effect) => {
  for (let nth = 1; nth <= ids.length; nth++) {
    const inner = base.clone();
    const storage = new FaultyStorage(inner, { faults: [{ at: { call: 'save', kind: 'snapshot', nth }, effect }] });
    const error: unknown = await tag(await openRepository(storage), request).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    for (const file of inner.files()) if (file.kind === 'snapshot' && (await inner.size(file)) === 60) await inner.remove(file);
    await expectEverySnapshot(inner);
    await expectCompletion(inner);
  }
});

test('a destination that lets nothing be removed is asked once', async () => {
  const inner = base.clone();
  const never = { times: Number.POSITIVE_INFINITY };
  const storage = new FaultyStorage(inner, {
    faults: [{ at: { call: 'remove', kind: 'snapshot', ...never }, effect: { do: 'fail', code: 'storage-denied' } }],
  });
  await expect(tag(await openRepository(storage), request)).rejects.toMatchObject({ code: 'storage-denied' });
  expect(storage.calls.filter(({ call, kind }) => call === 'remove' && kind === 'snapshot')).toHaveLength(1);
  await expectEverySnapshot(inner);
  await expectCompletion(inner);
});

test('two snapshots that are alike but for their IDs become one', async () => {
  const storage = base.clone();
  const repository = await openRepository(storage);
  const { id: _, ...fields } = await repository.snapshot(ids[0]!);
  const twins = [
    await repository.saveSnapshot({ ...fields, original: ids[0] }),
    await repository.saveSnapshot({ ...fields, original: ids[0] }),
  ];
  await tag(repository, { add: ['x'], snapshots: twins });
  const all = await repository.snapshots();
  expect(all.filter(({ original }) => original === ids[0])).toHaveLength(1);
  expect(all).toHaveLength(ids.length + 1);
});

test('a thousand snapshots change', async () => {
  const storage = base.clone();
  const repository = await openRepository(storage);
  const { id: _, ...fields } = await repository.snapshot(ids[0]!);
  for (let i = 0; i < 1000; i++) await repository.saveSnapshot({ ...fields, hostname: `host ${i}` });
  expect((await tag(repository, { add: ['x'] })).changed).toHaveLength(1000 + ids.length);
  expect((await tagsIn(storage)).filter((tags) => tags.includes('x'))).toHaveLength(1000 + ids.length);
});

describe('restic', () => {
  const visible = (snapshot: object): object =>
    Object.fromEntries(Object.entries(snapshot).filter(([name]) => name !== 'id' && name !== 'short_id'));
  const shown = async (folder: string): Promise<object[]> =>
    (await resticOn(folder).snapshots()).map((each) => ({ ...visible(each), tags: [...(each.tags ?? [])].sort() }));

  test.each<[string, string[], TagRequest]>([
    ['add', ['--add', 'x,y', '--add', 'a'], { add: ['x', 'y', 'a'] }],
    ['remove', ['--remove', 'a', '--add', 'z'], { remove: ['a'], add: ['z'] }],
    ['set', ['--set', 'x'], { set: ['x'] }],
  ])('makes the same snapshots of the same request: %s', async (_, args, wanted) => {
    const place = scratch('tag');
    const [ours, theirs] = [join(place, 'ours'), join(place, 'theirs')];
    await writeToDisk(base, ours);
    cpSync(ours, theirs, { recursive: true });
    await tag(await openRepository(ours, password), wanted);
    await resticOn(theirs).must(['tag', ...args]);
    // restic writes a snapshot anew even when it has the tags already, which only `original` shows.
    const unnamed = (list: object[]): object[] => list.map((each) => ({ ...each, original: undefined }));
    expect(unnamed(await shown(ours))).toEqual(unnamed(await shown(theirs)));
    await expectCleanCheck(resticOn(ours));
  });

  test('names the same original, at the first change and the next', async () => {
    const folder = await writeToDisk(base, scratch('tag'));
    await resticOn(folder).must(['tag', '--add', 'x', ids[0]!]);
    const [first] = (await resticOn(folder).snapshots()).filter(({ tags }) => tags?.includes('x'));
    expect(first!.original).toBe(ids[0]);
    await tag(await openRepository(folder), { add: ['y'], snapshots: [first!.id] });
    const [second] = (await resticOn(folder).snapshots()).filter(({ tags }) => tags?.includes('y'));
    await resticOn(folder).must(['tag', '--add', 'z', second!.id]);
    const [third] = (await resticOn(folder).snapshots()).filter(({ tags }) => tags?.includes('z'));
    expect([second!.original, third!.original]).toEqual([ids[0], ids[0]]);
    expect(third!.tags).toEqual(['a', 'x', 'y', 'z']);
  });
});
