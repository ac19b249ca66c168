/** The entry of a worker thread: takes one job after the other, for one run after the other. */
import { type MessagePort, parentPort, type Transferable } from 'node:worker_threads';
import { toHoldfastError } from '../../contract/errors.ts';
import { Kernel } from '../../repository/kernel/kernel.ts';
import { WorkerContext } from './context.ts';
import { jobs } from './jobs.ts';
import type { JobMessage, ToWorker, WorkerMessage, WorkerStart } from './protocol.ts';

const port = parentPort!;
const send = (message: WorkerMessage, transfer: Transferable[]): void => port.postMessage(message, transfer);

/** Their memory is used again by the next run: the one of the run's repository, and of a second one. */
const kernels: { own: Kernel | undefined; source: Kernel | undefined } = { own: undefined, source: undefined };
let context: WorkerContext | undefined;

function begin({ start, replies, sourceReplies }: Extract<ToWorker, { kind: 'begin' }>): void {
  context = new WorkerContext(start, takeKernel('own', start), replies, send);
  if (start.source && sourceReplies) context.source = makeSource(start.source, sourceReplies);
  send({ kind: 'ready' }, []);
}

const makeSource = (start: WorkerStart, replies: MessagePort): WorkerContext =>
  new WorkerContext(start, takeKernel('source', start), replies, (message, transfer) => send({ kind: 'of-source', message }, transfer));

const takeKernel = (which: keyof typeof kernels, start: WorkerStart): Kernel => (kernels[which] ??= Kernel.create(start.kernel));

function end(): void {
  context?.source?.closeFiles();
  context?.closeFiles();
  context = undefined;
  kernels.own?.freeAll();
  kernels.source?.freeAll();
  send({ kind: 'ended' }, []);
}

/** A cancelled run still gives up what it has packed, for the next one to find, and leaves no folder half made. */
const unstoppable: ReadonlySet<string> = new Set(['flush', 'leaveOver', 'finishFolders']);

function work({ job, args, onSource }: JobMessage): void {
  const place = onSource ? context!.source! : context!;
  place.transfer = [];
  try {
    if (!unstoppable.has(job)) place.control.checkpoint();
    const run = jobs[job as keyof typeof jobs] as (args: unknown, context: WorkerContext) => unknown;
    const result = run(args, place);
    send({ kind: 'done', result }, place.transfer);
  } catch (error) {
    send({ kind: 'failed', error: toHoldfastError(error).toJSON(), stack: error instanceof Error ? error.stack : undefined }, []);
  }
}

port.on('message', (message: ToWorker) => {
  if (message.kind === 'job') work(message);
  else if (message.kind === 'begin') begin(message);
  else end();
});
