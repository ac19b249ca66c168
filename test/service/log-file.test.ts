import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LogFile } from '../../src/service/log-file.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { scratch } from '../support/tree-literal.ts';

test('keeps a line for each word said, for the eyes of its person alone', () => {
  const folder = scratch();
  const log = new LogFile(folder, new FakeClock());
  log.write('first');
  log.write('two\nlines  become\tone');
  const file = join(folder, 'logs/service.log');
  expect(readFileSync(file, 'utf8')).toMatch(/^2026-01-\d\dT\d\d:\d\d:\d\d first\n\S+ two lines become one\n$/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('begins a new file when one is full, and keeps four older ones', () => {
  const folder = scratch();
  const log = new LogFile(folder, new FakeClock());
  for (let i = 0; i < 800; i++) log.write(`${i} ${'x'.repeat(9_990)}`);
  log.write('the end');
  const read = (name: string): string => readFileSync(join(folder, 'logs', name), 'utf8');
  const files = readdirSync(join(folder, 'logs')).sort();
  expect(files).toEqual(['service.log', 'service.log.1', 'service.log.2', 'service.log.3', 'service.log.4']);
  expect(read('service.log')).toMatch(/ the end\n$/);
  const firsts = files.map((name) => Number(/^\S+ (\d+) /.exec(read(name))![1]));
  expect(firsts).toEqual([...firsts].sort((one, other) => other - one));
  for (const name of files) expect(read(name).length).toBeLessThan(1.1 * (1 << 20));
});

test('nothing that is in the way of it is in the way of anything else', () => {
  const folder = scratch();
  writeFileSync(join(folder, 'logs'), 'a file');
  new LogFile(folder, new FakeClock()).write('said all the same');
  rmSync(join(folder, 'logs'));
  mkdirSync(join(folder, 'logs/service.log'), { recursive: true });
  new LogFile(folder, new FakeClock()).write('and here');
});
