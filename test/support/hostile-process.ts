/**
 * A verb of the engine in a process of its own, on a repository that may make it use all memory:
 *
 *     node hostile-process.ts ls|plan|restore|check REPOSITORY [TARGET]
 *
 * Prints one line of JSON: what came of it, and the most memory that the process had.
 */
import { executeCheck } from '../../src/engine/check/check.ts';
import { planCheck } from '../../src/engine/check/plan.ts';
import { listSnapshot } from '../../src/engine/ls.ts';
import { planRestore } from '../../src/engine/restore/restore.ts';
import { toHoldfastError } from '../../src/contract/errors.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { openRepository, restore, runOptions } from './engine.ts';
import { hastyClock } from './hasty-clock.ts';
import { peakMemoryMb } from './peak-memory.ts';
import { exitAtOnce } from '../../src/platform/exit.ts';

/** Only what the verb tells is there. */
export interface VerbReport {
  readonly error?: { readonly code: string; readonly message: string };
  /** Lines of `kind: path`. */
  readonly problems: readonly string[];
  /** Index files that could not be used. */
  readonly damage: number;
  readonly figures?: Record<string, number>;
  readonly entries?: number;
  readonly errors?: number;
  readonly trees?: number;
}

type Problems = readonly { readonly kind?: string; readonly path: Uint8Array }[];
/** Paths may be as long as the repository likes. */
const lines = (problems: Problems): string[] =>
  problems.map(({ kind, path }) => `${kind ?? 'problem'}: ${Buffer.from(path).toString('latin1', 0, 200)}`);

async function run(verb: string, repository: Repository, target: string): Promise<VerbReport> {
  const options = runOptions({ clock: hastyClock });
  if (verb === 'ls') {
    const snapshot = await repository.findSnapshot('latest');
    const { entries, problems, damage } = await listSnapshot(repository, { snapshot, recursive: true }, options, () => {});
    return { entries, problems: lines(problems), damage: damage.length };
  }
  if (verb === 'plan') {
    const { problems, figures } = await planRestore(repository, { snapshot: 'latest', target }, options);
    return { problems: lines(problems), figures: { ...figures }, damage: 0 };
  }
  if (verb === 'restore') {
    const { problems, figures, damage } = await restore(repository, target, { clock: hastyClock });
    return { problems: lines(problems), figures: { ...figures }, damage: damage.length };
  }
  const { errors, trees } = await executeCheck(repository, await planCheck(repository), options);
  return { problems: [], damage: 0, errors, trees };
}

const [verb = '', folder = '', target = ''] = process.argv.slice(2);
let report: VerbReport;
try {
  report = await run(verb, await openRepository(folder), target);
} catch (error) {
  const { code, message } = toHoldfastError(error);
  report = { error: { code, message: message.slice(0, 1000) }, problems: [], damage: 0 };
}
console.log(JSON.stringify({ report, maxMB: Math.round(peakMemoryMb()) }));
exitAtOnce(0);
