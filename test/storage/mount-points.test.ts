import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { canMountDisks } from '../support/disk.ts';
import { holdfast, holdfastStart } from '../support/cli.ts';
import { scratch, tree } from '../support/tree-literal.ts';
import { makeDrive, must } from '../support/volumes.ts';

test.skipIf(!canMountDisks)('a repository is made on a drive of the desktop, and never in the folder that it leaves behind', async () => {
  // Where desktops mount drives, below a folder of the person's own.
  const hadMedia = existsSync('/media');
  mkdirSync('/media', { recursive: true });
  const person = mkdtempSync('/media/holdfast-');
  onTestFinished(() => {
    rmSync(person, { recursive: true });
    if (!hadMedia) rmdirSync('/media');
  });
  const stub = join(person, 'My Disk');
  const home = scratch();
  tree(home, { work: { a: 'a' } });
  const init = () => holdfast(['--repo', join(stub, 'backup'), 'init'], { env: { HOLDFAST_PASSWORD: 'x' } });
  const start = () => holdfastStart([join(home, 'work'), '--to', join(stub, 'other')], { env: { HOME: home } });
  mkdirSync(stub);
  for (const run of [init, start]) {
    const { code, stderr } = await run();
    expect(code).toBe(1);
    expect(stderr).toContain(`nothing is mounted at ${stub}`);
  }
  expect(readdirSync(stub)).toEqual([]);
  expect(existsSync(join(home, '.local'))).toBe(false);
  makeDrive('ext4').mount(stub);
  onTestFinished(() => must('umount', '-l', stub));
  expect((await init()).code).toBe(0);
  must('umount', stub);
  must('mount', '-t', 'tmpfs', 'tmpfs', stub);
  expect((await start()).code).toBe(0);
});
