/** What `npm run dist` makes, around an Electron that is made up: nothing is loaded from anywhere. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getRawHeader, listPackage } from '@electron/asar';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { carryService } from '../../../main/electron/service-process.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { profileAt } from '../../../src/service/profile.ts';
import { attach } from '../../../src/service/rpc/client.ts';
import { builderArguments } from '../../../scripts/dist.mjs';
import { makeKeys } from '../../../scripts/sign-update.mjs';
import { connectFolder, createPlan, ended } from '../../support/service.ts';
import { scratch, sharedScratch, tree } from '../../support/tree-literal.ts';

const root = join(import.meta.dirname, '../../..');
/** Where Electron's fuses lie in its program: behind this mark, a version and their number. */
const sentinel = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';
let app: string;
let resources: string;
let keys: string;

beforeAll(() => {
  const electron = tree(sharedScratch('electron'), {
    electron: Buffer.concat([Buffer.from(`made up ${sentinel}`), Buffer.from([1, 9]), Buffer.from('100100101')]),
    version: JSON.parse(readFileSync(join(root, 'node_modules/electron/package.json'), 'utf8')).version as string,
    'chrome-sandbox': '',
    LICENSE: '',
    locales: { 'en-US.pak': '', 'zh-CN.pak': '', 'de.pak': '' },
    resources: {},
  });
  chmodSync(join(electron, 'electron'), 0o755);
  keys = sharedScratch('keys');
  makeKeys(keys);
  const out = sharedScratch('release');
  execFileSync(process.execPath, ['scripts/dist.mjs', '--dir', `-c.directories.output=${out}`], {
    cwd: root,
    stdio: 'ignore',
    env: {
      ...process.env,
      ELECTRON_DIST: electron,
      HOLDFAST_UPDATE_URL: 'https://updates.invalid/holdfast',
      HOLDFAST_UPDATE_PUBLIC_KEY: join(keys, 'update-key.pem'),
    },
  });
  app = join(out, readdirSync(out).find((name) => name.endsWith('-unpacked'))!);
  resources = join(app, 'resources');
});

const packed = (): string[] => listPackage(join(resources, 'app.asar'), { isPack: false }).map((name) => name.slice(1));

test('the archive holds the program and nothing else', () => {
  const files = packed();
  expect(files).toEqual(
    expect.arrayContaining([
      'package.json',
      'dist/desktop/main.js',
      'dist/desktop/preload.cjs',
      'dist/renderer/index.html',
      'dist/renderer/licences.json',
    ]),
  );
  for (const state of ['fine', 'working', 'paused', 'attention']) expect(files).toContain(`dist/assets/tray/${state}-light.png`);
  const top = new Set(files.map((name) => name.split('/')[0]));
  expect([...top].toSorted()).toEqual(['dist', 'node_modules', 'package.json']);
  // No sources, maps of them, tests, types, nor what is only for those who make it.
  expect(
    files.filter((name) => /\.(map|tsx?|md|c|cc|cpp|h|gyp|yml)$|\/(tests?|spec|examples)(\/|$)|\.inputs$|\.env|\.pem$/.test(name)),
  ).toEqual([]);
  expect(files.filter((name) => /^dist\/(cli|main|open|start)\.js$/.test(name))).toEqual([]);
  const packages = new Set(files.flatMap((name) => /^node_modules\/((?:@[^/]+\/)?[^/@]+)\//.exec(name)?.[1] ?? []));
  // Of native code that of this kind of computer alone.
  const own = [...packages].filter((name) => !/^(@koromix\/koffi-|@napi-rs\/keyring-)/.test(name));
  expect(own.toSorted()).toEqual(['@napi-rs/keyring', 'asn1', 'bcrypt-pbkdf', 'koffi', 'safer-buffer', 'ssh2', 'tweetnacl']);
  expect(
    files.filter((name) => /^node_modules\/(koffi|ssh2)\/.*\.(h|hh|cc|inc|asm|txt)$/.test(name) && !name.endsWith('LICENSE.txt')),
  ).toEqual([]);
});

test('all that the service needs lies outside of the archive', () => {
  const unpacked = join(resources, 'app.asar.unpacked');
  for (const file of ['package.json', 'dist/service.js', 'dist/worker.js', 'dist/catalogue-worker.js', 'node_modules/koffi/package.json'])
    expect(existsSync(join(unpacked, file)), file).toBe(true);
  expect(existsSync(join(unpacked, 'dist/desktop'))).toBe(false);
  expect(existsSync(join(unpacked, 'dist/renderer'))).toBe(false);
  const inArchive: string[] = [];
  const walk = (node: { files?: Record<string, { files?: object; unpacked?: boolean }> }, at: string): void => {
    for (const [name, each] of Object.entries(node.files ?? {})) {
      if (each.files) walk(each as never, `${at}/${name}`);
      else if (each.unpacked !== true) inArchive.push(`${at}/${name}`);
    }
  };
  walk(getRawHeader(join(resources, 'app.asar')).header as never, '');
  expect(inArchive.filter((name) => name.endsWith('.node') || name.startsWith('/node_modules'))).toEqual([]);
});

test('that service runs there, with its threads and native code, and backs up', async () => {
  const folder = scratch();
  const profile = profileAt(join(folder, 'profile'));
  const notes: string[] = [];
  const service = carryService({
    clock: systemClock,
    program: join(resources, 'app.asar.unpacked/dist/service.js'),
    version: '0.1.0',
    env: { PATH: process.env.PATH, HOME: folder, HOLDFAST_PROFILE: profile.folder, HOLDFAST_SECRETS_FILE: join(folder, 'secrets.json') },
    atLogin: false,
    onNotice: () => {},
    onNote: (text) => notes.push(text),
  });
  onTestFinished(async () => {
    service.stop();
    await service.ended;
  });
  await service.ready;
  const { client, close } = await attach(profile);
  onTestFinished(close);
  const source = join(tree(folder, { files: { 'a.txt': 'hello', more: { 'b.txt': 'world' } } }), 'files');
  const plan = await createPlan({ client }, source, await connectFolder({ folder, client }));
  const run = await client.runs.start({ plan: plan.id });
  // With the copy of the settings that goes along.
  expect(await ended({ client }, run.id)).toMatchObject({ error: null, status: 'succeeded', figures: { files: 3 } });
  expect(notes).toEqual([]);
});

test('nobody can make Node of the program, or give it another one to run', () => {
  const program = readFileSync(join(app, 'holdfast'), 'latin1');
  const fuses = program.slice(program.indexOf(sentinel) + sentinel.length + 2).slice(0, 9);
  // runAsNode, cookies encrypted, NODE_OPTIONS, --inspect, archive checked, archive alone, own V8 snapshot, file: privileges; the last one as it was.
  expect(fuses).toBe('010011001');
});

test('it knows where updates are, and whose key they must bear', () => {
  expect(readFileSync(join(resources, 'app-update.yml'), 'utf8')).toContain('url: https://updates.invalid/holdfast');
  expect(readFileSync(join(resources, 'update-key.pem'), 'utf8')).toBe(readFileSync(join(keys, 'update-key.pem'), 'utf8'));
});

test('without an address or a key there are no updates; one without the other is a mistake', () => {
  expect(builderArguments(['--dir'], {})).toEqual(['--config', 'electron-builder.yml', '--publish', 'never', '--dir']);
  expect(() => builderArguments([], { HOLDFAST_UPDATE_URL: 'https://updates.invalid' })).toThrow('together');
  expect(() => builderArguments([], { HOLDFAST_UPDATE_PUBLIC_KEY: 'key.pem' })).toThrow('together');
});

test('manifests are signed as the program checks them, and again when they are signed again', async () => {
  const { signFile } = await import('../../../scripts/sign-update.mjs');
  const { checkManifest } = await import('../../../main/electron/update-check.ts');
  const { load } = await import('js-yaml');
  const file = join(scratch(), 'latest-linux.yml');
  const sha512 = Buffer.alloc(64, 7).toString('base64');
  writeFileSync(
    file,
    `version: 0.2.0\nfiles:\n  - url: Holdfast-0.2.0.AppImage\n    sha512: ${sha512}\n    size: 100\n    blockMapSize: 10\npath: Holdfast-0.2.0.AppImage\nsha512: ${sha512}\nreleaseDate: '2026-11-22T00:00:00.000Z'\n`,
  );
  const privateKey = readFileSync(join(keys, 'update-key-private.pem'), 'utf8');
  await signFile(file, privateKey);
  const once = readFileSync(file, 'utf8');
  await signFile(file, privateKey);
  expect(readFileSync(file, 'utf8')).toBe(once);
  const expected = { publicKey: readFileSync(join(keys, 'update-key.pem'), 'utf8'), current: '0.1.0', newestSeen: undefined };
  expect(checkManifest(load(once), expected)?.version).toBe('0.2.0');
});

test('every delivered package is listed with its licence', () => {
  const licences = JSON.parse(readFileSync(join(root, 'dist/renderer/licences.json'), 'utf8')) as {
    name: string;
    version: string;
    licence: string;
    text: string;
  }[];
  const names = licences.map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining(['electron', 'react', 'koffi', 'ssh2', '@napi-rs/keyring', '@orpc/server', 'ws', 'electron-updater', 'zod']),
  );
  expect(names).toEqual(names.toSorted());
  // None that would bind who passes it on.
  for (const { name, licence } of licences)
    expect(licence, name).toMatch(/^(MIT|ISC|0BSD|BSD-[23]-Clause|Apache-2\.0|BlueOak-1\.0\.0|Unlicense)$/);
  expect(licences.filter(({ text }) => text === '').length).toBeLessThan(6);
});
