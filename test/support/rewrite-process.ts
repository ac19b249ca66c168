/**
 * A rewrite in a process of its own:
 *
 *     node rewrite-process.ts REPOSITORY PATTERN [forget]
 *
 * The old snapshots go with `forget`. Prints one line of JSON: how many snapshots were rewritten and how many could not be, and the most memory that the process had.
 */
import { compileExcludes } from '../../src/engine/backup/exclude.ts';
import { executeRewrite } from '../../src/engine/rewrite/rewrite.ts';
import { openRepository, runOptions } from './engine.ts';
import { hastyClock } from './hasty-clock.ts';
import { peakMemoryMb } from './peak-memory.ts';
import { exitAtOnce } from '../../src/platform/exit.ts';

const [folder = '', pattern = '', forget] = process.argv.slice(2);
const rules = compileExcludes({ patterns: [pattern] });
const { plan, changed } = await executeRewrite(
  await openRepository(folder),
  { rules, forget: forget === 'forget' },
  runOptions({ clock: hastyClock }),
);
const maxMB = Math.round(peakMemoryMb());
console.log(JSON.stringify({ changed: changed.length, problems: plan.problems.length, maxMB }));
exitAtOnce(0);
