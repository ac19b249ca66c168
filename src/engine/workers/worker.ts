/** The entry of a worker thread: takes one job after the other. */
import { type MessagePort, parentPort, type Transferable, workerData } from 'node:worker_threads';
import { toHoldfastError } from '../../contract/errors.ts';
import { WorkerContext } from './context.ts';
import { jobs } from './jobs.ts';
import type { JobMessage, WorkerMessage, WorkerStart } from './protocol.ts';

const port = parentPort!;
const send = (message: WorkerMessage, transfer: Transferable[]): void => port.postMessage(message, transfer);
const { start, replies, sourceReplies } = workerData as {
  start: WorkerStart;
  replies: MessagePort;
  sourceReplies: MessagePort | undefined;
};
const context = new WorkerContext(start, replies, send);
if (start.source && sourceReplies)
  context.source = new WorkerContext(start.source, sourceReplies, (message, transfer) => send({ kind: 'of-source', message }, transfer));

/** A cancelled run still gives up what it has packed, for the next one to find, and leaves no folder half made. */
const unstoppable: ReadonlySet<string> = new Set(['flush', 'finishFolders']);

port.on('message', ({ job, args, onSource }: JobMessage) => {
  const place = onSource ? context.source! : context;
  place.transfer = [];
  try {
    if (!unstoppable.has(job)) context.control.checkpoint();
    const run = jobs[job as keyof typeof jobs] as (args: unknown, context: WorkerContext) => unknown;
    const result = run(args, place);
    send({ kind: 'done', result }, place.transfer);
  } catch (error) {
    send({ kind: 'failed', error: toHoldfastError(error).toJSON(), stack: error instanceof Error ? error.stack : undefined }, []);
  }
});

send({ kind: 'ready' }, []);
