import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SecretsFile } from '../../src/service/secrets-file.ts';
import { canMountDisks, fillDisk, mountMemory } from '../support/disk.ts';
import { scratch } from '../support/tree-literal.ts';

test('secrets are kept, changed at the same time, and removed', async () => {
  const file = join(scratch(), 'secrets.json');
  const secrets = new SecretsFile(file);
  expect(await secrets.get('a')).toBeUndefined();
  await Promise.all(Array.from({ length: 20 }, (_, i) => secrets.set(`name ${i}`, `“secret” ${i}`)));
  await secrets.remove('name 3');
  const again = new SecretsFile(file);
  expect([await again.get('name 3'), await again.get('name 19')]).toEqual([undefined, '“secret” 19']);
});

test.each([
  ['others can read', (file: string) => chmodSync(file, 0o644)],
  ['is damaged', (file: string) => writeFileSync(file, '{"holdfast":"secrets","secrets":{"a":"very sec')],
])('a file that %s is refused, left as it is, and not shown', async (_, harm) => {
  const file = join(scratch(), 'secrets.json');
  const secrets = new SecretsFile(file);
  await secrets.set('a', 'very secret');
  harm(file);
  const found = readFileSync(file);
  for (const refused of [secrets.get('a'), secrets.set('b', 'c'), secrets.remove('a')]) {
    const error: unknown = await refused.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'secrets-unreadable' });
    expect((error as Error).message).not.toContain('very');
  }
  expect(readFileSync(file).equals(found)).toBe(true);
});

test.runIf(canMountDisks)('a disk that is full in the middle of writing costs no secret that was kept before', async () => {
  const folder = mountMemory(1 << 20);
  const file = join(folder, 'secrets.json');
  const secrets = new SecretsFile(file);
  for (let i = 0; i < 5; i++) await secrets.set(`name ${i}`, 'x'.repeat(16_000));
  const found = readFileSync(file);
  fillDisk(folder, 40_960);
  await expect(secrets.set('one more', 'y'.repeat(16_000))).rejects.toMatchObject({ code: 'secrets-not-kept' });
  expect(readFileSync(file).equals(found)).toBe(true);
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  rmSync(join(folder, 'filling'));
  await secrets.set('one more', 'y');
  expect(await secrets.get('one more')).toBe('y');
});
