import { expect, test } from 'vitest';
import { makeProgram } from '../../src/cli/program.ts';
import { optionsWithValue, verbOf } from '../../src/cli/verb-of.ts';

test('the verb is found among the options of the program, as the parser finds it', async () => {
  const valued = (await makeProgram(async () => {})).options.filter(({ required }) => required);
  expect(new Set(valued.flatMap(({ short, long }) => [short, long].filter((each) => each !== undefined)))).toEqual(optionsWithValue);
  for (const [args, verb] of [
    [['serve'], 'serve'],
    [['--json', 'serve', '--port', '1'], 'serve'],
    [['--repo', 'serve', 'ls'], 'ls'],
    [['--repo=serve', 'ls'], 'ls'],
    [['-r', 'x', '--limit-upload', '1M', 'serve'], 'serve'],
    [['backup', 'serve'], 'backup'],
    [['--no-cache', '--', 'serve'], 'serve'],
    [['--json'], undefined],
    [[], undefined],
  ] as const)
    expect([args, verbOf(args)]).toEqual([args, verb]);
});
