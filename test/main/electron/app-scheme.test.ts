import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { registerAppScheme, serveApp } from '../../../main/electron/app-scheme.ts';
import * as electron from '../../support/fake-electron.ts';
import { scratch, tree } from '../../support/tree-literal.ts';

function served(): { folder: string; ask: (path: string, method?: string) => Promise<Response> } {
  const top = tree(scratch(), {
    'secret.txt': 'secret',
    renderer: { 'index.html': '<p>Holdfast', 'a b.js': 'code', 'a b.js.map': '{}', assets: { 'x.css': 'p{}', 'odd.bin': 'x' } },
  });
  const folder = join(top, 'renderer');
  symlinkSync(join(top, 'secret.txt'), join(folder, 'link.txt'));
  let handler: (request: Request) => Promise<Response>;
  serveApp({ handle: (_: string, given: (request: Request) => Promise<Response>) => void (handler = given) } as never, folder);
  // A Request of Node takes no scheme of one's own; the shell's comes from Electron.
  return {
    folder,
    ask: (path, method = 'GET') => handler({ url: path.includes('://') ? path : `app://holdfast${path}`, method } as Request),
  };
}

test('the files of the interface are served with their types and a strict policy', async () => {
  const { ask } = served();
  const page = await ask('/');
  expect(page.status).toBe(200);
  expect(await page.text()).toBe('<p>Holdfast');
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  const policy = page.headers.get('content-security-policy')!;
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self';");
  expect(policy).not.toMatch(/script-src[^;]*unsafe|\*|https?:/);
  expect(page.headers.get('x-content-type-options')).toBe('nosniff');
  expect((await ask('/index.html#/restore')).status).toBe(200);
  expect((await ask('/assets/x.css?v=1')).headers.get('content-type')).toBe('text/css; charset=utf-8');
  expect((await ask('/assets/odd.bin')).headers.get('content-type')).toBe('application/octet-stream');
  expect((await ask('/a%20b.js')).headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  expect(await (await ask('/index.html', 'HEAD')).text()).toBe('');
});

test.each([
  '/../secret.txt',
  '/%2e%2e/secret.txt',
  '/..%2fsecret.txt',
  '/assets/..%5c..%5csecret.txt',
  '/assets/../../secret.txt',
  '//etc/passwd',
  '/link.txt',
  '/a%20b.js.map',
  '/assets',
  '/assets/',
  '/index.html%00.css',
  '/nothing',
  'app://elsewhere/index.html',
  'app://holdfast:80/index.html',
  'app://holdfast@elsewhere/index.html',
  'file:///etc/passwd',
  'http://holdfast/index.html',
  'app://',
])('nothing else is: %s', async (path) => {
  const answer = await served().ask(path);
  expect(answer.status).toBe(404);
  expect(await answer.text()).toBe('');
  expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
});

test('nothing can be sent', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) expect((await served().ask('/', method)).status).toBe(405);
});

test('a file that an update is replacing is not there for a moment', async () => {
  const { folder, ask } = served();
  rmSync(join(folder, 'index.html'));
  expect((await ask('/')).status).toBe(503);
});

test('an interface that is not built is no reason to fail', async () => {
  serveApp(electron.protocol as never, join(scratch(), 'nowhere'));
  expect((await electron.protocol.handlers.get('app')!({ url: 'app://holdfast/', method: 'GET' } as Request)).status).toBe(404);
});

test('the scheme has an origin of its own, and may not bypass the policy', () => {
  registerAppScheme();
  expect(electron.protocol.schemes).toEqual([
    { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
  ]);
});
