import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeAssets } from '../../scripts/make-assets.mjs';

const assets = join(import.meta.dirname, '../../assets');

test('the images are those that their sources make', async () => {
  const made = await makeAssets();
  for (const [name, content] of made) expect(readFileSync(join(assets, name)).equals(content), name).toBe(true);
  for (const folder of ['icons', 'tray'])
    for (const name of readdirSync(join(assets, folder))) expect([...made.keys()]).toContain(`${folder}/${name}`);
});

test('icons are of the sizes that systems ask for, in the containers that they read', async () => {
  const made = await makeAssets();
  for (const size of [16, 32, 48, 64, 128, 256, 512, 1024]) {
    const png = made.get(`icons/${size}x${size}.png`)!;
    // A PNG's IHDR: width and height.
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([size, size]);
  }
  const ico = made.get('icon.ico')!;
  expect([ico.readUInt16LE(2), ico.readUInt16LE(4)]).toEqual([1, 8]);
  const sizes = Array.from({ length: 8 }, (_, i) => ico[6 + 16 * i] || 256);
  expect(sizes).toEqual([16, 20, 24, 32, 40, 48, 64, 256]);
  const icns = made.get('icon.icns')!;
  expect(icns.toString('latin1', 0, 4)).toBe('icns');
  expect(icns.readUInt32BE(4)).toBe(icns.length);
  for (const type of ['icp4', 'icp5', 'ic07', 'ic08', 'ic09', 'ic10']) expect(icns.includes(type), type).toBe(true);
});

test('every state of the tray has a picture of its own', async () => {
  const made = await makeAssets();
  for (const suffix of ['-light.png', '-dark.png', 'Template.png', '-light@2x.png', 'Template@2x.png']) {
    const pictures = ['fine', 'working', 'paused', 'attention'].map((state) => made.get(`tray/${state}${suffix}`)!.toString('base64'));
    expect(new Set(pictures).size).toBe(4);
  }
});
