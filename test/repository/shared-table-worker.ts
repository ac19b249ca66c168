/** A thread that inserts keys into a shared table; posts how many it won, and whether it ever found another key than its own. */
import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { SharedTable, type SharedTableMemory } from '../../src/repository/shared-table.ts';

/** `start` and `step` decide in which order the `count` keys are inserted; `gate` holds all threads back until all are there. */
export interface InserterTask {
  readonly memory: SharedTableMemory;
  readonly gate: SharedArrayBuffer;
  readonly threads: number;
  readonly count: number;
  readonly start: number;
  readonly step: number;
}

export interface InserterReport {
  readonly won: number[];
  readonly wrong: number;
}

const { memory, gate, threads, count, start, step } = workerData as InserterTask;
const table = SharedTable.attach(memory);
const arrived = new Int32Array(gate);
const keys = Array.from({ length: count }, (_, i) => createHash('sha256').update(String(i)).digest());

Atomics.add(arrived, 0, 1);
Atomics.notify(arrived, 0);
for (let seen = Atomics.load(arrived, 0); seen < threads; seen = Atomics.load(arrived, 0)) Atomics.wait(arrived, 0, seen);

const won: number[] = [];
let wrong = 0;
for (let n = 0; n < count; n++) {
  const i = (start + n * step) % count;
  table.lock();
  const number = table.findOrInsert(keys[i]!, 0, i & 1);
  if (table.inserted) {
    won.push(i);
    table.records[number * 12 + 9] = i;
  } else if (table.records[number * 12 + 9] !== i) wrong += 1;
  table.unlock();
}
parentPort!.postMessage({ won, wrong } satisfies InserterReport);
