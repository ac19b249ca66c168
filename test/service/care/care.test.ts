/** Destinations are checked, and healed by what the others hold: by a person's wish, and by themselves when damage is met. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { DestinationView } from '../../../src/contract/destination.ts';
import type { Run } from '../../../src/contract/run.ts';
import { executeCopy } from '../../../src/engine/copy/copy.ts';
import { openRepository, runOptions } from '../../support/engine.ts';
import { expectCleanCheck, expectSameTree } from '../../support/judge.ts';
import { Restic } from '../../support/restic.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { connectFolder, createPlan, ended, password, type RunningService, startService } from '../../support/service.ts';
import { tree } from '../../support/tree-literal.ts';

interface Setting {
  readonly service: RunningService;
  readonly source: string;
  readonly first: DestinationView;
  readonly second: DestinationView;
  readonly plan: string;
  readonly snapshot: string;
}

/** The same snapshot on two destinations. */
async function setting(): Promise<Setting> {
  const service = await startService();
  const { client, folder } = service;
  const source = tree(join(folder, 'src'), { 'a.txt': 'as it was', big: seededBytes(seededRandom(1), 300_000), docs: { b: 'b' } });
  const first = await connectFolder(service, 'first');
  const second = await connectFolder(service, 'second');
  const plan = await createPlan(service, source, first, {
    destinations: [
      { destination: first.id, role: 'primary' },
      { destination: second.id, role: 'copy' },
    ],
  });
  const { snapshot } = await ended(service, (await client.runs.start({ plan: plan.id })).id);
  await executeCopy(
    { source: await openRepository(first.place, password), target: await openRepository(second.place, password) },
    { keepChunks: true },
    runOptions(),
  );
  await Promise.all([first, second].map(({ id }) => client.destinations.look({ id })));
  return { service, source, first, second, plan: plan.id, snapshot: snapshot! };
}

/** The next run of a kind, once it has ended. */
async function nextOf({ service }: Setting, kind: Run['kind'], after = 0): Promise<Run> {
  const isIt = (run: Run): boolean => run.kind === kind && run.id > after;
  for await (const { event } of await service.client.events({})) {
    const runs =
      event.type === 'state' ? (await service.client.runs.list({ kinds: [kind] })).runs : event.type === 'run' ? [event.run] : [];
    const found = runs.find(isIt);
    if (found) return ended(service, found.id);
  }
  throw new Error('the service is gone');
}

const loseData = (place: string): void => {
  const packs = execFileSync('find', [join(place, 'data'), '-type', 'f', '-size', '+100k'])
    .toString()
    .split('\n')
    .filter(Boolean);
  expect(packs.length).toBeGreaterThan(0);
  for (const path of packs) rmSync(path);
};

test('a check that finds damage is followed by a healing, from the other destination, and the repository is whole again', async () => {
  const at = await setting();
  const { service, first, source } = at;
  const { care } = service.client;
  expect(await care.last({ destination: first.id })).toEqual({ check: null, heal: null, allReadSince: null });
  const clean = await ended(service, (await care.check({ destination: first.id, depth: 'all' })).id);
  expect(clean).toMatchObject({ kind: 'check', status: 'succeeded', problems: 0, destinationName: 'first' });
  expect(await care.last({ destination: first.id })).toMatchObject({ check: { errors: 0, depth: 'all', run: clean.id }, heal: null });
  loseData(first.place);
  // Of the unchanged file nothing is to come.
  rmSync(join(source, 'big'));
  const found = await ended(service, (await care.check({ destination: first.id })).id);
  expect(found).toMatchObject({ status: 'completed-with-warnings' });
  expect((await service.client.runs.problems({ id: found.id })).problems.map(({ path }) => path)).toContain(join(source, 'big'));
  const heal = await nextOf(at, 'heal');
  expect(heal).toMatchObject({ cause: 'damage', status: 'succeeded', destination: first.id, problems: 0 });
  const { lines } = await service.client.runs.log({ id: heal.id });
  expect(lines.map(({ text }) => text).join('\n')).toMatch(/came from “second”[\s\S]*Healed: .*big[\s\S]*Everything is whole again/);
  expect((await care.last({ destination: first.id })).heal).toMatchObject({ run: heal.id, unhealed: 0 });
  await expectCleanCheck(new Restic(first.place, password));
});

test('what is nowhere to be had is named by the run', async () => {
  const at = await setting();
  const { service, first, second, source } = at;
  for (const { place } of [first, second]) loseData(place);
  rmSync(join(source, 'big'));
  const heal = await ended(service, (await service.client.care.heal({ destination: first.id })).id);
  expect(heal).toMatchObject({ cause: 'person', status: 'completed-with-warnings', destination: first.id });
  const { problems } = await service.client.runs.problems({ id: heal.id });
  expect(problems).toContainEqual(expect.objectContaining({ path: join(source, 'big'), code: 'damaged' }));
  // What is still there on this computer came from there.
  expect(problems.map(({ path }) => path)).not.toContain(join(source, 'a.txt'));
});

test('a restore that meets damage gives everything all the same, and the destination is healed after it', async () => {
  const at = await setting();
  const { service, first, source, snapshot } = at;
  loseData(first.place);
  const target = join(service.folder, 'back');
  const request = { snapshot, destination: first.id, items: [source], target: { kind: 'folder' as const, path: target } };
  const restored = await ended(service, (await service.client.restore.start(request)).id);
  expect(restored).toMatchObject({ status: 'succeeded', problems: 0 });
  // In the middle, and not by beginning again elsewhere.
  const receipt = await service.client.restore.receipt({ run: restored.id });
  expect(receipt).toMatchObject({ destination: { name: 'first' }, failedDestinations: [], rescued: [{ name: 'second' }] });
  const { text } = await service.client.restore.receiptFile({ run: restored.id, format: 'text', language: 'en' });
  expect(text).toContain('came from “second” instead');
  await expectSameTree(source, join(target, 'src'));
  const heal = await nextOf(at, 'heal');
  expect(heal).toMatchObject({ cause: 'damage', status: 'succeeded', destination: first.id });
  await expectCleanCheck(new Restic(first.place, password));
});
