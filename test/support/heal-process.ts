/**
 * A healing in a process of its own, to be killed:
 *
 *     node heal-process.ts REPOSITORY FROM KEEP-IN
 *
 * Prints `ready` when both are open and `done` at the end.
 */
import { executeHeal } from '../../src/engine/heal/heal.ts';
import { exitAtOnce } from '../../src/platform/exit.ts';
import { openRepository, runOptions } from './engine.ts';

const [folder = '', from = '', keepIn = ''] = process.argv.slice(2);
const repository = await openRepository(folder);
const other = await openRepository(from);
console.log('ready');
const others = [{ name: 'other', open: async () => other }];
await executeHeal(repository, { others }, { ...runOptions(), packSize: 24 << 10, keepIn });
console.log('done');
exitAtOnce(0);
