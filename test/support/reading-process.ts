/**
 * A verb that reads snapshots, in a process of its own, whose use of memory is looked at:
 *
 *     node reading-process.ts REPOSITORY diff FIRST SECOND
 *     node reading-process.ts REPOSITORY find PATTERN…
 *     node reading-process.ts REPOSITORY stats [MODE]
 *
 * Prints one line of JSON: {@link ReadingReport}.
 */
import { compareSnapshots } from '../../src/engine/diff/diff.ts';
import { findInSnapshots } from '../../src/engine/find/find.ts';
import { measureMode, measureRepository, type StatsMode } from '../../src/engine/stats/stats.ts';
import { favourSmallMemory } from '../../src/platform/memory.ts';
import { openRepository, runOptions } from './engine.ts';
import { hastyClock } from './hasty-clock.ts';
import { peakMemoryMb } from './peak-memory.ts';
import { exitAtOnce } from '../../src/platform/exit.ts';

export interface ReadingReport {
  /** What the verb told, without lists. */
  readonly told: Record<string, unknown>;
  /** The most memory that the process had at any time, in MB. */
  readonly maxMB: number;
}

// As the command line does it.
favourSmallMemory();
const [folder = '', verb = '', ...args] = process.argv.slice(2);
const repository = await openRepository(folder);
const options = runOptions({ clock: hastyClock });
let told: Record<string, unknown>;
if (verb === 'diff') {
  const [first, second] = await Promise.all(args.map(async (id) => ({ snapshot: await repository.findSnapshot(id) })));
  let changes = 0;
  const { entries, blobs } = await compareSnapshots(repository, { first: first!, second: second! }, options, (more) => {
    changes += more.length;
  });
  told = { changes, entries, blobs };
} else if (verb === 'find') {
  const query = { kind: 'entries', patterns: args, ignoreCase: false, contents: true } as const;
  const rest = { types: undefined, minSize: undefined, maxSize: undefined, newerNs: undefined, olderNs: undefined };
  const snapshots = await repository.snapshots();
  told = { ...(await findInSnapshots(repository, { snapshots, query: { ...query, ...rest } }, options, () => {})) };
} else if (args[0] !== undefined) {
  told = { ...(await measureMode(repository, { snapshots: await repository.snapshots(), mode: args[0] as StatsMode }, options)) };
} else {
  const snapshots = await repository.snapshots();
  const breakdown = { snapshot: snapshots.at(-1)!, top: 5 };
  const { breakdown: parts, total, raw } = await measureRepository(repository, { snapshots, others: [], breakdown }, options);
  told = { total, raw, files: parts!.files, bytes: parts!.bytes, types: parts!.types };
}
const report: ReadingReport = { told, maxMB: Math.round(peakMemoryMb()) };
console.log(JSON.stringify(report));
exitAtOnce(0);
