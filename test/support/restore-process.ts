/**
 * A restore in a process of its own, for tests of other users, of killing, of tracing and of memory.
 *
 *     node restore-process.ts REPOSITORY '{"target": "/t", "verify": true, …}'
 *
 * The request is a RestoreRequest with paths as text. Prints `begun` when the first progress comes, and at the end one line
 * of JSON: {@link RestoreReport}.
 */
import { openRepository, restore, type RestoreSettings } from './engine.ts';
import { peakMemoryMb } from './peak-memory.ts';
import { exitAtOnce } from '../../src/platform/exit.ts';

export interface RestoreReport {
  readonly figures: Record<string, number>;
  readonly problems: readonly string[];
  readonly verified: { entries: number; bytes: number } | undefined;
  /** The most memory that the process had at any time, in MB. */
  readonly maxMB: number;
}

const [folder = '', json = '{}'] = process.argv.slice(2);
const { path, target, ...others } = JSON.parse(json) as RestoreSettings & { path?: string; target?: string };
const repository = await openRepository(folder);
const settings = { ...others, ...(path === undefined ? {} : { path: Buffer.from(path) }) };
let said = false;
const { figures, problems, verified } = await restore(repository, target, {
  ...settings,
  onProgress: ({ phase }) => {
    if (phase === 'restoring' && !said) console.log('begun');
    said ||= phase === 'restoring';
  },
});
const report: RestoreReport = {
  figures: { ...figures },
  problems: problems.map(({ kind, path: place, detail }) => `${kind}: ${Buffer.from(place).toString('latin1')}: ${detail}`),
  verified,
  maxMB: peakMemoryMb(),
};
console.log(JSON.stringify(report));
exitAtOnce(0);
