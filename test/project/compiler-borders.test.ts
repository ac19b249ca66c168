import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { root } from './planted-project.ts';

const parts = ['src/contract', 'src/platform', 'src/storage', 'src/repository', 'src/engine', 'src/service', 'main/headless', 'src/cli'];
const nameOf = (part: string): string => part.split('/')[1];
let project: string;

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'holdfast-types-'));
  symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'));
  cpSync(join(root, 'tsconfig.base.json'), join(project, 'tsconfig.base.json'));
  plant('package.json', '{ "type": "module" }\n');
  for (const part of parts) {
    mkdirSync(join(project, part), { recursive: true });
    cpSync(join(root, part, 'tsconfig.json'), join(project, part, 'tsconfig.json'));
    plant(`${part}/named.ts`, `export const name = '${part}';\n`);
  }
});

afterEach(() => rmSync(project, { recursive: true, force: true }));

function plant(file: string, text: string): void {
  mkdirSync(dirname(join(project, file)), { recursive: true });
  writeFileSync(join(project, file), text);
}

function compile(): { status: number | null; output: string } {
  const tsc = join(root, 'node_modules/.bin/tsc');
  const { status, stdout } = spawnSync(tsc, ['-b', 'src/cli', '--pretty', 'false'], { cwd: project, encoding: 'utf8' });
  return { status, output: stdout };
}

test('every part compiles with imports of the parts below it', () => {
  for (const [index, part] of parts.entries()) {
    const below = parts.slice(0, index);
    const lines = below.map((other) => `import { name as ${nameOf(other)} } from '../../${other}/named.ts';\n`);
    plant(`${part}/user.ts`, `${lines.join('')}export const names: string[] = [${below.map(nameOf).join(', ')}];\n`);
  }
  expect(compile()).toEqual({ status: 0, output: '' });
});

test('an import of a part above does not compile, not even of a type', () => {
  plant('src/repository/wrong.ts', `export const here: typeof import('../engine/named.ts').name = 'engine';\n`);
  const { status, output } = compile();
  expect(output).toMatch(/src\/repository\/wrong\.ts.*error TS6307/);
  expect(status).not.toBe(0);
});

test('the contract sees nothing of Node', () => {
  plant('src/contract/wrong.ts', 'export const folder: string = process.cwd();\n');
  const { status, output } = compile();
  expect(output).toMatch(/src\/contract\/wrong\.ts.*'process'/);
  expect(status).not.toBe(0);
});
