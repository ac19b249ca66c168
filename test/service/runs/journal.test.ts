import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { usualSchedule } from '../../../src/contract/schedule.ts';
import { runLines } from '../../../src/cli/run-text.ts';
import { holdfast } from '../../support/cli.ts';
import { connectFolder, createPlan, ended, quickClock, startService } from '../../support/service.ts';
import { tree } from '../../support/tree-literal.ts';

/** Nobody is ever held up by it, however busy the computer is. */
const steady = { ...quickClock, monotonic: () => 0 };

test('a run of a watched plan says how much it looked at, and why', async () => {
  const service = await startService({ clock: steady });
  const source = tree(join(service.folder, 'source'), { a: { x: '1', b: { y: '2' } }, c: { z: '3' } });
  const [one, two] = [await connectFolder(service, 'one'), await connectFolder(service, 'two')];
  // In each run the copy of the settings is another one, which counts as a file that changed.
  const plan = await createPlan(service, source, one, {
    destinations: [
      { destination: one.id, role: 'primary' },
      { destination: two.id, role: 'standby' },
    ],
    schedule: { ...usualSchedule, triggers: [{ kind: 'change', delaySeconds: 86_400 }], strategy: { otherwise: 'incremental' } },
  });
  const run = async (destination = one.id) => {
    const { id } = await service.client.runs.start({ plan: plan.id, destination });
    const done = await ended(service, id);
    const { lines } = await service.client.runs.log({ id });
    return { scan: done.figures?.scan, done, log: lines.map(({ text }) => text) };
  };
  expect((await run()).scan).toMatchObject({ isPartial: false, because: 'strategy' });
  // The watches were not yet there when the first run began, as far as this one knows.
  await run();
  appendFileSync(join(source, 'a/b/y'), 'more');
  const partial = await run();
  expect(partial.scan).toMatchObject({ isPartial: true });
  expect(partial.done.figures).toMatchObject({ filesChanged: 2 });
  expect(partial.log).toContainEqual(expect.stringMatching(/^Only what changed was looked at: \d+ folders?\.$/));
  expect(runLines(partial.done)).toContainEqual(expect.stringMatching(/^ {2}Only what changed was looked at/));
  // The other destination has an older snapshot, or none.
  expect((await run(two.id)).scan).toMatchObject({ isPartial: false });
  appendFileSync(join(source, 'c/z'), 'more');
  expect((await run()).done.figures).toMatchObject({ filesChanged: 2, scan: { isPartial: true } });
  expect((await run(two.id)).done.figures).toMatchObject({ filesChanged: 2, scan: { isPartial: true } });
  // One that fails gives back what it took, and the standby that takes over goes by its own account.
  appendFileSync(join(source, 'c/z'), 'more');
  rmSync(join(service.folder, 'one/config'));
  expect((await run()).done).toMatchObject({ status: 'succeeded', figures: { filesChanged: 2, scan: { isPartial: true } } });
  writeFileSync(join(source, 'a/x'), 'other');
  expect((await run(two.id)).done.figures).toMatchObject({ filesChanged: 2, scan: { isPartial: true } });
});

test('a change that the watch has missed is told as an alarm and in diagnostics, and a person can have the watch trusted again', async () => {
  const service = await startService({ clock: steady });
  const { client } = service;
  const source = tree(join(service.folder, 'source'), { a: { x: '1' } });
  const disk = await connectFolder(service, 'one');
  const plan = await createPlan(service, source, disk, {
    schedule: { ...usualSchedule, triggers: [{ kind: 'change', delaySeconds: 86_400 }], strategy: { otherwise: 'incremental' } },
  });
  const run = async () => (await ended(service, (await client.runs.start({ plan: plan.id })).id)).figures?.scan;
  await run();
  await run();
  expect(await run()).toMatchObject({ isPartial: true });
  service.service.defects.note(plan.id, 3, [join(source, 'a')]);
  expect(await client.watching.defects()).toMatchObject([{ plan: plan.id, run: 3, count: 1, folders: [join(source, 'a')] }]);
  const { alarms, planStates } = await client.state();
  expect(alarms).toMatchObject([{ kind: 'watch', plan: plan.id, message: expect.stringContaining(join(source, 'a')) }]);
  expect(planStates[0]?.watchNotes).toMatchObject([{ kind: 'missed', count: 1 }]);
  const { base64 } = await client.diagnostics.make({ format: 'text' });
  const diagnostics = Buffer.from(base64, 'base64').toString();
  expect(diagnostics).toContain('"kind": "missed"');
  expect(diagnostics).not.toContain(source);
  expect(await run()).toMatchObject({ isPartial: false, because: 'missed' });
  const trusted = await holdfast(['plan', 'trust', plan.name], { env: { HOLDFAST_PROFILE: service.profile.folder } });
  expect([trusted.code, trusted.stdout]).toEqual([0, expect.stringContaining('look at what changed again')]);
  expect((await client.state()).alarms).toEqual([]);
  expect(await client.watching.defects()).toEqual([]);
  expect(await run()).toMatchObject({ isPartial: true });
});
