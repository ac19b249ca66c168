/**
 * Holdfast beside restic on the same data, interleaved, the order alternating; the median of the rounds is printed, and the
 * ratio of the two.
 *
 *   npm run bench -- [--rounds 5] [--only NAME] [--folder FOLDER]
 *
 * NAME is one of the works below. FOLDER holds data and repositories (default: a new one in the temporary folder).
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { changeTree, randomTree, realTree, sizeOf } from './data.ts';
import { type Measured, measure, median } from './measure.ts';
import { init, passwordEnvironment, type Program, programs } from './programs.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, only: { type: 'string' }, folder: { type: 'string' } },
});
const rounds = Number(values.rounds);
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
const memoryFolder = '/dev/shm/holdfast-bench';

interface Work {
  readonly name: string;
  /** Measures one round of one program. */
  round(program: Program): Promise<Measured & { size?: number }>;
}

const clear = (...folders: string[]): void => folders.forEach((each) => rmSync(each, { recursive: true, force: true }));
const place = (program: Program, name: string): string => join(folder, `${program.name}-${name}`);

async function emptyRepository(program: Program, name: string): Promise<string> {
  const repository = place(program, name);
  clear(repository);
  await measure(init(repository));
  return repository;
}

/** A repository with one snapshot of `source`, made once. */
const filled = new Map<string, string>();
async function filledRepository(program: Program, name: string, source: string): Promise<string> {
  const key = `${program.name}-${name}`;
  if (!filled.has(key)) {
    const repository = await emptyRepository(program, `filled-${name}`);
    await measure(program.backup(repository, source));
    filled.set(key, repository);
  }
  return filled.get(key)!;
}

const firstBackup = (name: string, source: () => string): Work => ({
  name,
  async round(program) {
    const repository = await emptyRepository(program, name);
    const measured = await measure(program.backup(repository, source()));
    return { ...measured, size: sizeOf(repository) };
  },
});

const checkAll = (name: string, data: string, source: () => string): Work => ({
  name,
  round: async (program) => measure(program.check(await filledRepository(program, data, source()))),
});

const real = (): string => realTree(folder);
const random = (): string => randomTree(folder);

async function tenSnapshots(program: Program): Promise<string> {
  const source = join(folder, 'changing');
  clear(source);
  const repository = await emptyRepository(program, 'changing');
  for (let day = 0; day < 10; day++) {
    changeTree(source, day);
    await measure(program.backup(repository, source));
  }
  await measure(program.forget(repository, 5));
  return repository;
}

const prepared = new Map<string, string>();

const works: readonly Work[] = [
  firstBackup('first backup, real files', real),
  firstBackup('first backup, random files', random),
  {
    name: 'nothing changed, opening subtracted',
    async round(program) {
      const repository = await filledRepository(program, 'real', real());
      const opened = await measure(program.open(repository));
      const measured = await measure(program.backup(repository, real()));
      return { wall: measured.wall - opened.wall, memory: measured.memory };
    },
  },
  {
    name: 'restore to memory',
    async round(program) {
      const repository = await filledRepository(program, 'real', real());
      clear(memoryFolder);
      mkdirSync(memoryFolder, { recursive: true });
      const measured = await measure(program.restore(repository, memoryFolder));
      clear(memoryFolder);
      return measured;
    },
  },
  {
    name: 'restore to disk',
    async round(program) {
      const repository = await filledRepository(program, 'real', real());
      const target = place(program, 'restored');
      const measured = await measure(program.restore(repository, target));
      clear(target);
      return measured;
    },
  },
  checkAll('check --read-data, real files', 'real', real),
  checkAll('check --read-data, random files', 'random', random),
  {
    name: 'prune after forgetting half',
    async round(program) {
      let original = prepared.get(program.name);
      if (!original) prepared.set(program.name, (original = await tenSnapshots(program)));
      const repository = place(program, 'pruned');
      clear(repository);
      cpSync(original, repository, { recursive: true });
      return measure(program.prune(repository));
    },
  },
];

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

console.log(`${cpus().length} cores, ${cpus()[0]?.model ?? ''}; Node ${process.version}; median of ${rounds}`);
console.log(
  execFileSync(programs[0].open('').program, ['version'], { encoding: 'utf8', env: { ...process.env, ...passwordEnvironment } }).trim(),
);
console.log('| work | restic | holdfast | ratio | memory, restic | memory, holdfast | repository |');
console.log('| --- | --- | --- | --- | --- | --- | --- |');
for (const work of works) {
  if (values.only && !work.name.includes(values.only)) continue;
  const results = new Map<string, (Measured & { size?: number })[]>();
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? programs : [...programs].reverse();
    for (const program of order) results.set(program.name, [...(results.get(program.name) ?? []), await work.round(program)]);
  }
  const [restic, holdfast] = programs.map(({ name }) => {
    const all = results.get(name)!;
    return { wall: median(all.map((each) => each.wall)), memory: Math.max(...all.map((each) => each.memory)), size: all[0].size };
  });
  const size = restic.size && holdfast.size ? `${(holdfast.size / restic.size).toFixed(3)} × ${megabytes(restic.size)}` : '';
  console.log(
    `| ${work.name} | ${seconds(restic.wall)} | ${seconds(holdfast.wall)} | ${(holdfast.wall / restic.wall).toFixed(2)} | ${megabytes(restic.memory)} | ${megabytes(holdfast.memory)} | ${size} |`,
  );
}
if (!values.folder) clear(folder);
