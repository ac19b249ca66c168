/**
 * A copy or a move in a process of its own, to be killed:
 *
 *     node copy-process.ts copy|move FROM TO
 *
 * Prints `ready` when the repositories are open and `done` at the end.
 */
import { executeCopy } from '../../src/engine/copy/copy.ts';
import { executeMove } from '../../src/engine/move/move.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { openRepository, runOptions } from '../support/engine.ts';
import { exitAtOnce } from '../../src/platform/exit.ts';

/** What it prints. */
export type Word = 'ready' | 'done';

const say = (word: Word): void => console.log(word);

const [verb = '', from = '', to = ''] = process.argv.slice(2);
const source = await openRepository(from);
if (verb === 'copy') {
  const target = await openRepository(to);
  say('ready');
  await executeCopy({ source, target }, {}, { ...runOptions(), packSize: 1 << 20 });
} else {
  say('ready');
  await executeMove(source, new LocalStorage(to), { ...runOptions(), removeOld: true });
}
say('done');
exitAtOnce(0);
