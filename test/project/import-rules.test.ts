import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PlantedProject } from './planted-project.ts';

const direction = 'holdfast(import-direction)';
const clock = 'holdfast(real-clock)';
const exportsThere = 'export const there = 1;\nexport type There = number;\n';

/** A file in `folder` that imports `target`, a file relative to the project's top. */
const importing = (folder: string, target: string): string =>
  `import { there } from '${'../'.repeat(folder.split('/').length)}${target}';\n\nexport const here = there;\n`;

const wrongBorders: [from: string, to: string][] = [
  ['src/contract', 'src/platform'],
  ['src/platform', 'src/storage'],
  ['src/storage', 'src/repository'],
  ['src/storage/deep/er', 'src/engine'],
  ['src/repository', 'src/engine'],
  ['src/engine', 'src/service'],
  ['src/engine', 'src/sources'],
  ['src/sources', 'src/service'],
  ['src/service', 'src/cli'],
  ['src/cli', 'main/headless'],
  ['src/cli', 'test/support'],
  ['src/engine', 'scripts'],
  ['main/headless', 'main/electron'],
  ['main/headless', 'src/cli'],
  ['renderer/features/home', 'src/platform'],
  ['src/contract', 'renderer'],
  ['src/strange', 'src/contract'],
];

const rightBorders: [from: string, to: string][] = [
  ['src/platform', 'src/contract'],
  ['src/storage', 'src/platform'],
  ['src/repository/deep', 'src/storage'],
  ['src/repository/deep', 'src/repository/other'],
  ['src/engine', 'src/repository'],
  ['src/service', 'src/sources'],
  ['src/cli', 'src/service'],
  ['main/electron', 'src/service'],
  ['main/headless', 'src/service'],
  ['renderer/features/home', 'src/contract'],
  ['test/engine', 'src/engine'],
  ['test/engine', 'test/support'],
];

/** What is wrong, where, the text, and what the linter must say. */
const wrong: [what: string, folder: string, text: string, says: string][] = [
  ...wrongBorders.map(([from, to]): [string, string, string, string] => [
    `an import from ${from} to ${to}`,
    from,
    importing(from, `${to}/b.ts`),
    direction,
  ]),
  ['an import of a type', 'src/storage', `import type { There } from '../engine/b.ts';\n\nexport const here: There = 1;\n`, direction],
  ['a type in place', 'src/storage', `export const here: import('../engine/b.ts').There = 1;\n`, direction],
  ['a re-export', 'src/storage', `export { there } from '../engine/b.ts';\n\nexport const here = 1;\n`, direction],
  ['import()', 'src/storage', `export const here = async (): Promise<unknown> => import('../engine/b.ts');\n`, direction],
  ['the URL of a program', 'src/storage', `export const here = new URL('../engine/b.ts', import.meta.url);\n`, direction],
  ['a way round', 'src/storage', `import { there } from '../platform/../engine/b.ts';\n\nexport const here = there;\n`, direction],
  ['electron elsewhere', 'main/headless', `import { app } from 'electron';\n\nexport const a: unknown = app;\n`, 'Only main/electron may'],
  ['Node in the contract', 'src/contract', `import { sep } from 'node:path';\n\nexport const a = sep;\n`, 'nothing but zod'],
  ['Node in the renderer', 'renderer', `import { sep } from 'node:path';\n\nexport const a = sep;\n`, 'runs in a browser'],
  ['a circle', 'src/engine', `import { b } from './circle.ts';\n\nexport const a = (): number => b();\n`, 'import(no-cycle)'],
  ['a file that only re-exports', 'src/engine', `export { there } from './b.ts';\n`, 'holdfast(no-barrel)'],
  ['export *', 'src/engine', `export * from './b.ts';\n\nexport const a = 1;\n`, 'holdfast(no-barrel)'],
  ...[
    'export const now = Date.now();',
    'export const now = new Date();',
    'export const now = Date();',
    'export const now = globalThis.Date.now();',
    `export const now = Date['now']();`,
    'const { now } = Date;\nexport const time = now();',
    'export const time = performance.now();',
    'export const time = process.hrtime.bigint();',
    'export const timer = setTimeout(() => undefined, 5);',
    'export const timer = globalThis.setTimeout(() => undefined, 5);',
    'export const timer = setInterval(() => undefined, 5);',
    'export const timer = setImmediate(() => undefined);',
    'export const start = setTimeout;',
    'export const timers = { setTimeout };',
    'export const signal = AbortSignal.timeout(5);',
    `import { setTimeout as sleep } from 'node:timers/promises';\n\nawait sleep(5);\nexport const done = true;`,
    `import { performance } from 'node:perf_hooks';\n\nexport const time = performance.now();`,
  ].map((text): [string, string, string, string] => [`the real clock: ${text}`, 'src/engine', `${text}\n`, clock]),
  ['the real clock in the interface', 'renderer', 'export const now = Date.now();\n', clock],
  ['the real clock in a test', 'test/engine', 'export const now = Date.now();\n', clock],
  [
    'a promise that nobody waits for',
    'src/engine',
    'async function work(): Promise<void> {}\nwork();\nexport const a = 1;\n',
    'no-floating-promises',
  ],
  ['as any', 'src/engine', `export const a = JSON.parse('1') as any;\n`, 'no-explicit-any'],
  ['@ts-ignore', 'src/engine', `// @ts-ignore\nexport const a: number = 'text';\n`, 'ban-ts-comment'],
];

const right: [what: string, folder: string, text: string][] = [
  ...rightBorders.map(([from, to]): [string, string, string] => [`an import from ${from} to ${to}`, from, importing(from, `${to}/b.ts`)]),
  ['electron in its place', 'main/electron', `import { app } from 'electron';\n\nexport const a: unknown = app;\n`],
  ['the schema library in the contract', 'src/contract', `import { z } from 'zod';\n\nexport const a: unknown = z;\n`],
  ['a given time', 'src/engine', 'export const day = (milliseconds: number): string => new Date(milliseconds).toISOString();\n'],
  [
    'an injected clock',
    'src/engine',
    [
      'interface Clock {',
      '  now: () => number;',
      '  setTimeout: (act: () => void, milliseconds: number) => void;',
      '}',
      'export const later = (clock: Clock): void => clock.setTimeout(() => undefined, clock.now());',
      'export const own = (setTimeout: () => void): void => setTimeout();',
      '',
    ].join('\n'),
  ],
];

describe('the linter rejects', () => {
  const project = new PlantedProject();
  const files = new Map<string, string>();

  beforeAll(() => {
    for (const [, to] of wrongBorders) project.plant(`${to}/b.ts`, exportsThere);
    for (const [what, folder, text] of wrong) files.set(what, project.plantIn(folder, text));
    const circular = files.get('a circle')?.replace('src/engine/', './');
    project.plant('src/engine/circle.ts', `import { a } from '${circular}';\n\nexport const b = (): number => a();\n`);
    project.lint();
  });

  afterAll(() => project.remove());

  test.each(wrong)('%s (in %s)', (what, _folder, _text, says) => {
    expect(project.found(files.get(what) ?? '').join('\n')).toContain(says);
  });

  test('with an exit code, and nothing but what is wrong', () => {
    expect(project.exitCode).toBe(1);
    for (const [, to] of wrongBorders) expect(project.found(`${to}/b.ts`)).toEqual([]);
  });
});

test('the linter accepts what follows the rules', () => {
  const project = new PlantedProject();
  try {
    for (const [, to] of rightBorders) project.plant(`${to}/b.ts`, exportsThere);
    for (const [, folder, text] of right) project.plantIn(folder, text);
    // The one file of the command line that starts a host.
    project.plant('main/headless/b.ts', exportsThere);
    project.plant('src/cli/verbs/serve.ts', importing('src/cli/verbs', 'main/headless/b.ts'));
    project.plant('src/platform/clock.ts', 'export const now = (): number => Date.now();\nexport const wait = setTimeout;\n');
    project.lint();
    expect(project.all()).toEqual([]);
    expect(project.exitCode).toBe(0);
  } finally {
    project.remove();
  }
});
