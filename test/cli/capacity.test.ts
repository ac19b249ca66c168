import { join } from 'node:path';
import { expect, test } from 'vitest';
import { holdfast } from '../support/cli.ts';
import { jsonLines } from '../support/restic.ts';
import { connectFolder, createPlan, ended, startService } from '../support/service.ts';
import { tree } from '../support/tree-literal.ts';

test('a destination shows its size, cost and budgets; prices are listed, changed and set back', async () => {
  const service = await startService();
  const { client, folder } = service;
  const env = { HOLDFAST_PROFILE: service.profile.folder };
  const run = (...args: string[]) => holdfast(args, { env });
  const must = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(...args);
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
    return stdout;
  };
  const destination = await connectFolder(service);
  expect(await must('destination', 'show', 'repo')).toContain('not measured yet');
  const plan = await createPlan(service, tree(join(folder, 'src'), { a: 'a' }), destination);
  await ended(service, (await client.runs.start({ plan: plan.id })).id);
  const shown = await must('destination', 'show', 'repo', '--measure');
  expect(shown).toMatch(/^repo \([0-9a-f]{8}\)\nPlace: .*\nState: connected, .* free\nSize: .* in 1 snapshot, measured /);
  expect(shown).toContain('Growth: not known yet');
  expect(shown).toContain('Stored by “Documents”');
  expect(shown).not.toContain('Cost');
  expect(await must('destination', 'price', 'repo', 's3-standard')).toMatch(
    /Cost: about .* a month by Amazon S3 Standard: storage less than USD 0.01, requests .*\nReading everything back once: .*\nPrices as of 2025-06/,
  );
  expect(await must('destination', 'budget', 'repo', '--money', 'usd 5', '--bytes', '1K')).toMatch(
    /Budget: .* of 1.00 KiB: passed\nBudget: .* a month of USD 5.00 a month: kept/,
  );
  const status = await run('status');
  expect([status.code, status.stdout]).toEqual([3, expect.stringContaining('is beyond the budget that you set for it')]);
  expect(await must('destination', 'budget', 'repo', '--bytes', 'none')).not.toContain('passed');
  const [object] = jsonLines(await must('--json', 'destination', 'show', 'repo'));
  expect(object).toMatchObject({ type: 'destination', name: 'repo', capacity: { budget: { bytes: null, money: { amount: 5 } } } });
  expect(await must('prices', 'list')).toContain('Backblaze B2');
  expect(await must('prices', 'set', 'b2', 'storage=0.007', 'as-of=2026-11')).toMatch(/b2 .*USD 0.007 .*2026-11 .*changed/);
  expect(await must('prices', 'set', 'box', 'provider=My host', 'currency=EUR', 'minimum-monthly=3.2', 'as-of=2026-11')).toContain('own');
  expect(await must('prices', 'reset')).not.toContain('box');
  for (const args of [
    ['prices', 'set', 'b2', 'storage=much'],
    ['prices', 'set', 'b2', 'colour=blue'],
    ['prices', 'set', 'b2', 'storage=-1'],
    ['prices', 'set', 'box', 'storage=1'],
    ['destination', 'budget', 'repo'],
    ['destination', 'budget', 'repo', '--money', '5'],
    ['destination', 'budget', 'repo', '--bytes', 'lots'],
    ['destination', 'price', 'repo', 'nothing'],
  ])
    expect([args.join(' '), (await run(...args)).code]).toEqual([args.join(' '), 1]);
});

test('a plan and a destination are moved; the run is waited for', async () => {
  const service = await startService();
  const { client, folder } = service;
  const must = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await holdfast(args, { env: { HOLDFAST_PROFILE: service.profile.folder } });
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
    return stdout;
  };
  const destination = await connectFolder(service);
  const next = await connectFolder(service, 'next');
  const plan = await createPlan(service, tree(join(folder, 'src'), { a: 'a' }), destination);
  await ended(service, (await client.runs.start({ plan: plan.id })).id);
  expect(await must('plan', 'move', 'Documents', 'next')).toContain('move');
  expect((await client.state()).plans[0].destinations).toEqual([{ destination: next.id, role: 'primary' }]);
  await must('destination', 'move', 'next', join(folder, 'further'), '--remove-old');
  expect((await client.state()).destinations[1].place).toBe(join(folder, 'further'));
});
