import { appendFileSync, chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Inotify } from '../../src/platform/inotify.ts';
import { scratch } from '../support/tree-literal.ts';

/** What comes, as lines; `*` for an entry that came or went. */
function reading(): { readonly inotify: Inotify; read(): string[] } {
  const inotify = new Inotify();
  onTestFinished(() => inotify.close());
  return {
    inotify,
    read() {
      const lines: string[] = [];
      inotify.read({
        entry: (watch, renamed, name) => void lines.push(`${watch} ${renamed ? '*' : ''}${name.toString('latin1')}`),
        gone: (watch) => void lines.push(`${watch} gone`),
        ended: (watch) => void lines.push(`${watch} ended`),
        lost: () => void lines.push('lost'),
      });
      return lines;
    },
  };
}

describe('inotify', () => {
  it('tells what comes, goes and changes in a folder, with names of any bytes', () => {
    const { inotify, read } = reading();
    const dir = scratch();
    const watch = inotify.add(Buffer.from(dir));
    expect(read()).toEqual([]);
    const odd = Buffer.concat([Buffer.from(`${dir}/`), Buffer.of(0xff, 0x20, 0x0a)]);
    writeFileSync(odd, 'x');
    appendFileSync(odd, 'y');
    chmodSync(odd, 0o600);
    renameSync(odd, join(dir, 'b'));
    unlinkSync(join(dir, 'b'));
    // Each write, and the closing after it; then the permissions.
    const changed = Array.from({ length: 5 }, () => '\u00ff \n');
    const expected = ['*\u00ff \n', ...changed, '*\u00ff \n', '*b', '*b'];
    expect(read()).toEqual(expected.map((line) => `${watch} ${line}`));
  });

  it('tells that the folder itself is moved or deleted', () => {
    const { inotify, read } = reading();
    const dir = scratch();
    mkdirSync(join(dir, 'a'));
    const watch = inotify.add(Buffer.from(join(dir, 'a')));
    renameSync(join(dir, 'a'), join(dir, 'b'));
    expect(read()).toEqual([`${watch} gone`]);
    rmSync(join(dir, 'b'), { recursive: true });
    expect(read()).toEqual([`${watch} gone`, `${watch} ended`]);
    inotify.remove(watch);
  });

  it('ends a watch that is removed, and tells so', () => {
    const { inotify, read } = reading();
    const dir = scratch();
    const watch = inotify.add(Buffer.from(dir));
    expect(inotify.add(Buffer.from(`${dir}/.`))).toBe(watch);
    inotify.remove(watch);
    writeFileSync(join(dir, 'a'), '');
    expect(read()).toEqual([`${watch} ended`]);
  });

  it('watches folders alone, not what a link leads to', () => {
    const { inotify } = reading();
    const dir = scratch();
    writeFileSync(join(dir, 'file'), '');
    symlinkSync('.', join(dir, 'link'));
    expect(() => inotify.add(Buffer.from(join(dir, 'file')))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
    expect(() => inotify.add(Buffer.from(join(dir, 'link')))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
    expect(() => inotify.add(Buffer.from(join(dir, 'absent')))).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });

  it('reads more than fits into its memory at once', () => {
    const { inotify, read } = reading();
    const dir = scratch();
    const watch = inotify.add(Buffer.from(dir));
    const names = Array.from({ length: 800 }, (_, i) => `${i}-${'x'.repeat(100)}`);
    for (const name of names) mkdirSync(join(dir, name));
    expect(read()).toEqual(names.map((name) => `${watch} *${name}`));
  });

  it('reads no further once it is closed, by the reader too', () => {
    const inotify = new Inotify();
    const dir = scratch();
    inotify.add(Buffer.from(dir));
    for (let i = 0; i < 800; i++) mkdirSync(join(dir, `${i}-${'x'.repeat(100)}`));
    let count = 0;
    const ignore = (): void => {};
    inotify.read({
      entry() {
        count += 1;
        inotify.close();
      },
      gone: ignore,
      ended: ignore,
      lost: ignore,
    });
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(800);
    inotify.close();
    inotify.remove(1);
  });
});
