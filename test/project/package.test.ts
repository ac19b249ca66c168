import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { matchesLock } from '../../scripts/install.mjs';
import { root } from './planted-project.ts';

interface Package {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}

interface Locked {
  version: string;
  resolved?: string;
  optionalDependencies?: Record<string, string>;
}

const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const manifest = JSON.parse(read('package.json')) as Package;
const lock = (JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> }).packages;

test('every npm command that the README names exists', () => {
  const named = [...read('README.md').matchAll(/\bnpm (?:run ([\w:-]+)|(start|test))\b/g)].map((match) => match[1] ?? match[2]);
  expect(named).toContain('start');
  expect(named).toContain('test');
  for (const name of named) expect(Object.keys(manifest.scripts)).toContain(name);
});

test('every file that an npm command starts exists', () => {
  for (const command of Object.values(manifest.scripts)) {
    const file = /^node (\S+)/.exec(command)?.[1];
    if (file !== undefined) expect(existsSync(join(root, file)), command).toBe(true);
  }
});

test('all dependencies are pinned to one version, the one in the lock file', () => {
  for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
    expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
    expect(lock[`node_modules/${name}`]?.version, name).toBe(version);
  }
});

test('the lock file lists the packages for every platform, without which npm ci refuses it', () => {
  const missing = Object.entries(lock).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !isLocked(path, name)),
  );
  expect(missing).toEqual([]);
});

/** Whether Node's way of looking for a package, from the folder `path` upwards, meets `name` in the lock file. */
function isLocked(path: string, name: string): boolean {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (`${folder === '' ? '' : `${folder}/`}node_modules/${name}` in lock) return true;
    if (folder === '') return false;
  }
}

test('the lock file names no server, so that any registry will do', () => {
  expect(Object.values(lock).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
});

test('every part has a tsconfig of its own, and the build knows it', () => {
  const folders = ['src', 'main'].flatMap((top) =>
    readdirSync(join(root, top), { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [`./${top}/${entry.name}`] : [])),
  );
  const references = (JSON.parse(read('tsconfig.json')) as { references: { path: string }[] }).references.map(({ path }) => path);
  expect(references.toSorted()).toEqual(
    [...folders, './main/electron/preload', './renderer', './scripts', './test', './test/e2e', './test/renderer'].toSorted(),
  );
});

test('an installation counts as right only when it holds what the lock file wants', () => {
  const locked = new Map([
    ['node_modules/a', { version: '1.0.0', integrity: 'x' }],
    ['node_modules/b-windows', { version: '1.0.0', integrity: 'y', optional: true }],
  ]);
  const a = { version: '1.0.0', integrity: 'x' };
  expect(matchesLock(new Map([['node_modules/a', a]]), locked)).toBe(true);
  expect(matchesLock(new Map(), locked)).toBe(false);
  expect(matchesLock(new Map([['node_modules/a', { ...a, version: '1.0.1' }]]), locked)).toBe(false);
  expect(matchesLock(new Map([['node_modules/a', { ...a, integrity: 'z' }]]), locked)).toBe(false);
  expect(matchesLock(new Map(Object.entries({ 'node_modules/a': a, 'node_modules/left-over': a })), locked)).toBe(false);
});
