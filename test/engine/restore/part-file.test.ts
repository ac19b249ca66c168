import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { beginParts, isLeftOver, isPart, partPath } from '../../../src/engine/restore/part-file.ts';

const nameOf = (run: string, number = 7): string => partPath(Buffer.from('/folder/file'), run, number).toString().slice('/folder/'.length);

test('a part file stands beside its file, under a name of its run', () => {
  const { names, end } = beginParts();
  end();
  const path = partPath(Buffer.from('/a/b/file'), `${names.run}-s1`, 35).toString();
  expect(path).toBe(`/a/b/.holdfast-${names.run}-s1-z.part`);
  expect(isPart(path.slice(5))).toBe(true);
});

test('a part of a living run of this process is no left-over, one of an ended run is', () => {
  const first = beginParts();
  const second = beginParts();
  expect(second.names.run).not.toBe(first.names.run);
  expect(isLeftOver(nameOf(first.names.run), second.names)).toBe(false);
  expect(isLeftOver(nameOf(second.names.run), second.names)).toBe(false);
  first.end();
  const third = beginParts();
  expect(isLeftOver(nameOf(first.names.run), third.names)).toBe(true);
  second.end();
  third.end();
});

test('a part of another process is a left-over when that has ended', () => {
  const { names, end } = beginParts();
  const [host, , run] = names.run.split('-');
  const { pid } = spawnSync('true');
  expect(isLeftOver(nameOf(`${host}-${pid.toString(36)}-${run}`), names)).toBe(true);
  expect(isLeftOver(nameOf(`${host}-${process.ppid.toString(36)}-${run}`), names)).toBe(false);
  end();
});

test('of another computer nobody can tell, and a person’s file is never one', () => {
  const { names, end } = beginParts();
  const [, pid, run] = names.run.split('-');
  expect(isLeftOver(nameOf(`00000000-${pid}-${run}`), names)).toBe(false);
  for (const name of [
    '.holdfast',
    '.holdfast-notes.part',
    'holdfast.part',
    `.holdfast-${names.run}.part`,
    `.holdfast-${names.run}-1.parts`,
  ]) {
    expect(isPart(name)).toBe(false);
    expect(isLeftOver(name, names)).toBe(false);
  }
  end();
});
