import { expect, test } from 'vitest';
import { missingStep } from '../../../../renderer/features/home/missing-step.ts';

const at = (id: string, place: string, volume?: string) => ({
  id,
  name: id,
  place,
  repository: '0'.repeat(64),
  polynomial: 'a',
  ejectAfterRun: false,
  ...(volume === undefined ? {} : { volume: { uuid: volume, pathWithin: '' } }),
});
const plan = { id: 'p', destinations: [{ destination: 'used', role: 'primary' as const }] };
const used = at('used', 's3:https://far/bucket');
const folder = at('folder', '/srv/backup');
const drive = at('drive', '/media/drive', '1234');
const far = at('far', 'sftp:anna@host:/backup');

test('the missing step leads to the plan with what is connected already, and best of all with a place elsewhere', () => {
  expect(missingStep(plan, 'copy', [used, folder, drive, far])).toBe('/plans/p/with/far');
  expect(missingStep(plan, 'copy', [used, folder, drive])).toBe('/plans/p/with/drive');
  expect(missingStep(plan, 'copy', [used, folder])).toBe('/plans/p/with/folder');
  expect(missingStep(plan, 'medium', [used, folder, drive])).toBe('/plans/p/with/drive');
  expect(missingStep(plan, 'off-site', [used, drive, far])).toBe('/plans/p/with/far');
});

test('where nothing that is connected gives what is missing, it leads to connecting that', () => {
  expect(missingStep(plan, 'off-site', [used, folder, drive])).toBe('/destinations/add/for/p/server');
  expect(missingStep(plan, 'medium', [used, folder, at('windows', 'D:\\backup')])).toBe('/destinations/add/for/p/folder');
  expect(missingStep(plan, 'copy', [used])).toBe('/destinations/add/for/p/folder');
});
