/**
 * Holdfast beside restic on the same data, interleaved, the order alternating; the median of the rounds is printed, and the
 * ratio of the two. A run that fails ends the measurement.
 *
 *   npm run bench -- [--rounds 5] [--only NAME] [--folder FOLDER]
 *
 * NAME is part of the name of a work, `cloud` for all that go over a network, `cost`, `service`, `catalogue`, `journal` or `app`. FOLDER
 * keeps the data for the next time (default: a new one in the temporary folder, removed at the end). What was found on the way to these figures is in README.md beside this file.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BlobIndex } from '../../src/repository/blob-index.ts';
import { measureApp } from './app.ts';
import { measureCatalogue } from './catalogue.ts';
import { startCloud } from './cloud.ts';
import { connectedRepository, madeUpRepository } from './connected.ts';
import { realTree, sizeOf, tinyTree } from './data.ts';
import { fewChanges } from './journal.ts';
import { type Measured, median } from './measure.ts';
import { passwordEnvironment, programs } from './programs.ts';
import { serviceAtRest } from './service.ts';
import { allWorks, clear, costOfFiles, type Figures, generatedSizes, type Work } from './works.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, only: { type: 'string' }, folder: { type: 'string' } },
});
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds: “${values.rounds}” is not a number of rounds`);
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
mkdirSync(folder, { recursive: true });
const places = { folder, memory: mkdtempSync('/dev/shm/holdfast-bench-') };

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
const chosen = (name: string): boolean => values.only === undefined || name.includes(values.only);
const row = (...cells: readonly string[]): void => console.log(`| ${cells.join(' | ')} |`);

/** Rounds of a work, in turn by both programs, beginning with the other one each time. */
async function compare(work: Work): Promise<void> {
  const results = new Map<string, Figures[]>(programs.map(({ name }) => [name, []]));
  for (let round = 0; round < (work.wanted === undefined ? 1 : rounds); round++) {
    for (const program of round % 2 === 0 ? programs : [...programs].reverse()) results.get(program.name)!.push(await work.round(program));
  }
  const [restic, holdfast] = programs.map(({ name }) => {
    const all = results.get(name)!;
    return {
      wall: median(all.map(({ wall }) => wall)),
      memory: median(all.map(({ memory }) => memory)),
      size: all[0].size,
      requests: all.at(-1)!.requests,
    };
  });
  row(
    work.wanted === undefined ? `${work.name} (1 round)` : work.name,
    seconds(restic.wall),
    seconds(holdfast.wall),
    `**${(holdfast.wall / restic.wall).toFixed(2)}**`,
    [work.wanted, work.wantedMs && seconds(work.wantedMs)].flatMap((limit) => (limit === undefined ? [] : `≤ ${limit}`)).join(', '),
    megabytes(restic.memory),
    megabytes(holdfast.memory),
    (holdfast.memory / restic.memory).toFixed(2),
    restic.size && holdfast.size ? `${(holdfast.size / restic.size).toFixed(3)} × ${megabytes(restic.size)}` : '',
    restic.requests === undefined ? '' : `${restic.requests} / ${holdfast.requests}`,
  );
}

async function inTheCloud(): Promise<void> {
  if (values.only !== undefined && !values.only.startsWith('cloud')) return;
  const cloud = await startCloud(places);
  try {
    for (const work of cloud.works) if (chosen(work.name)) await compare(work);
  } finally {
    await cloud.stop();
  }
}

async function service(): Promise<void> {
  const { readyMs, idleShare, memory, slowest, slowestMs } = await serviceAtRest(mkdtempSync(join(folder, 'service-')));
  console.log('\nThe service at rest (100,000 watched files in 10,000 folders, 10,000 runs):\n');
  row('figure', 'measured', 'wanted');
  row('---', '---', '---');
  row('start to ready', `${Math.round(readyMs)} ms`, '≤ 500 ms');
  row('idle, of one core', `${(idleShare * 100).toFixed(2)} %`, '≤ 1 %');
  row('memory', megabytes(memory), '≤ 200 MB');
  row(`slowest query (${slowest})`, `${slowestMs.toFixed(1)} ms`, '≤ 20 ms');
}

async function app(): Promise<void> {
  const figures = await measureApp(mkdtempSync(join(folder, 'app-')), rounds);
  console.log(`\nThe app, in Chromium on a host of its own (median of ${rounds}):\n`);
  row('figure', 'measured', 'wanted');
  row('---', '---', '---');
  row('Home, until its answer is painted: a browser that knows nothing', `${Math.round(figures.firstPaintMs)} ms`, '≤ 500 ms');
  row('a browser that was here before', `${Math.round(figures.againPaintMs)} ms`, '');
  row('script for it, compressed', `${Math.round(figures.scriptBytes / 1000)} KB`, '≤ 300 KB');
  row('a folder of 100,000, until its first 200 rows are painted', `${Math.round(figures.rowsMs)} ms`, '≤ 200 ms');
  row('until a screenful of them is', `${Math.round(figures.screenfulMs)} ms`, '');
  row('clicks from Home to one file restored; from the first run to the first backup', 'see test/e2e', '≤ 6; ≤ 8');
}

async function catalogue(): Promise<void> {
  const { oldestFirst, newestFirst, queries } = await measureCatalogue(mkdtempSync(join(folder, 'catalogue-')));
  console.log('\nThe catalogue (a million files in 20,000 folders, 50 snapshots with 1 % changes; time of the processor):\n');
  row('figure', 'measured', 'wanted');
  row('---', '---', '---');
  row('the first snapshot', seconds(oldestFirst.first), '');
  row('49 more', seconds(oldestFirst.others), '');
  row('a snapshot, backwards in time', seconds(newestFirst.others / newestFirst.more), '');
  row('the names, for searching', seconds(oldestFirst.index), '');
  row('file', megabytes(oldestFirst.bytes), '≤ 600 MB');
  for (const [name, ms] of Object.entries(queries)) row(name, `${ms.toFixed(1)} ms`, '');
}

async function connected(): Promise<void> {
  const repository = await madeUpRepository(folder);
  const place = mkdtempSync(join(folder, 'connected-'));
  const { complete, cpu, bytes, browsed, cold } = await connectedRepository(place, repository, (text) => console.error(text));
  clear(place);
  console.log('\nA repository of a million files and 50 snapshots that is connected, and the first questions after a start:\n');
  row('figure', 'measured', 'wanted');
  row('---', '---', '---');
  row('all of it in the catalogue', seconds(complete), '≤ 5 min');
  row('time of the processor', seconds(cpu), '');
  row('file', megabytes(bytes), '≤ 600 MB');
  row('200 rows from the repository meanwhile', `${Math.round(browsed)} ms`, '');
  for (const [name, ms] of Object.entries(cold)) row(`cold: ${name}`, `${ms.toFixed(1)} ms`, '');
}

async function journal(): Promise<void> {
  const many = 1_000_000;
  const place = mkdtempSync(join(folder, 'journal-'));
  const { files, holdfast, restic, afterDelay } = await fewChanges(place, tinyTree(folder, many), many, (text) => console.error(text));
  clear(place);
  console.log(
    `\nA run after 10 of ${files.toLocaleString('en')} files changed (by the service, which looked into ${holdfast.foldersVisited} folders; ` +
      `${holdfast.full} runs more looked at everything, since something was in doubt):\n`,
  );
  row('figure', 'restic', 'holdfast', 'wanted');
  row('---', '---', '---', '---');
  row('time', seconds(restic.wall), seconds(holdfast.wall), '≤ 1 s');
  row('time of the processor', seconds(restic.cpu), seconds(holdfast.cpu), '');
  row('the first run, of all', seconds(restic.first), seconds(holdfast.first), '');
  row('memory of the service, with the index of all', '', megabytes(holdfast.memory), '');
  row("from a change to its snapshot, less the plan's delay", '', seconds(afterDelay), '≤ 1 s');
}

async function cost(): Promise<void> {
  console.log('\nCost of generated files (time beyond that of opening, for each file; peak memory):\n');
  row('files', 'program', 'first backup', 'a file', 'memory', 'nothing changed', 'a file', 'memory');
  row('---', '---', '---', '---', '---', '---', '---', '---');
  for (const count of generatedSizes) {
    for (const program of programs) {
      const { first, again } = await costOfFiles(places, program, count);
      const figures = ({ wall, memory }: Measured): string[] => [
        seconds(wall),
        `${((wall * 1000) / count).toFixed(1)} µs`,
        megabytes(memory),
      ];
      row(count.toLocaleString('en'), program.name, ...figures(first), ...figures(again));
    }
  }
}

/** Memory of the index at a million blobs. */
function indexBytes(): number {
  const index = BlobIndex.create();
  const blobs = 1_000_000;
  const id = Buffer.alloc(32);
  for (let i = 0; i < blobs; i++) {
    id.writeUInt32LE(i);
    if (i % 1000 === 0) index.pack(id);
    index.add(Math.floor(i / 1000), id, 0, 'data', (i % 1000) * 100, 100, 200);
  }
  return index.byteLength / blobs;
}

const version = execFileSync(programs[0].open('').program, ['version'], {
  encoding: 'utf8',
  env: { ...process.env, ...passwordEnvironment },
});
console.log(
  `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}; Node ${process.version}; ${version.trim()}; median of ${rounds}, warm cache`,
);
const works = allWorks(places).filter(({ name }) => chosen(name));
if (works.length > 0) {
  const tree = sizeOf(realTree(folder));
  console.log(
    `Real files: ${tree.files.toLocaleString('en')}, ${megabytes(tree.bytes)}. Index: ${indexBytes().toFixed(1)} bytes a blob at a million.`,
  );
}
console.log();
row('work', 'restic', 'holdfast', 'ratio', 'wanted', 'memory, restic', 'memory, holdfast', 'ratio', 'repository', 'requests');
row('---', '---', '---', '---', '---', '---', '---', '---', '---', '---');
try {
  for (const work of works) await compare(work);
  await inTheCloud();
  if (chosen('service')) await service();
  if (chosen('app')) await app();
  if (chosen('catalogue')) await catalogue();
  if (chosen('connected')) await connected();
  if (chosen('journal')) await journal();
  if (chosen('cost')) await cost();
} finally {
  clear(places.memory);
  if (!values.folder) clear(folder);
}
