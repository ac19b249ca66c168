/** The entry of the catalogue's thread. */
import { parentPort, workerData } from 'node:worker_threads';
import { errorFromJSON, toHoldfastError } from '../../contract/errors.ts';
import type { BuildOptions } from './build.ts';
import { type CatalogueStart, type FromCatalogue, questions, type Tasks, type ToCatalogue } from './protocol.ts';
import type { View } from './queries/view.ts';
import { CatalogueStore } from './store.ts';

const port = parentPort!;
const store = new CatalogueStore((workerData as CatalogueStart).file);
const send = (message: FromCatalogue): void => port.postMessage(message);

/** Those who wait for listings. */
const reads = new Map<number, PromiseWithResolvers<readonly (Uint8Array | undefined)[]>>();
let lastRead = 0;

const sourceFor = (id: number): BuildOptions => ({
  source: {
    read(trees) {
      const read = ++lastRead;
      const answer = Promise.withResolvers<readonly (Uint8Array | undefined)[]>();
      reads.set(read, answer);
      // What is small travels alone, and not with the memory that it is a view of.
      send({ kind: 'read', id, read, trees: trees.map((tree) => new Uint8Array(tree)) });
      return answer.promise;
    },
  },
  onProgress: (entries) => send({ kind: 'progress', id, entries }),
});

type Task<N extends keyof Tasks> = (args: Tasks[N]['args'], id: number) => Promise<Tasks[N]['result']> | Tasks[N]['result'];

const tasks: { readonly [N in keyof Tasks]: Task<N> } = {
  ask: ({ name, request, destinations }) =>
    store.ask(new Map(destinations), (view) => (questions[name] as (view: View, request: unknown) => unknown)(view, request)),
  warm: async ({ destinations }) => {
    await store.warm(new Map(destinations));
    return undefined;
  },
  states: () => ({ repositories: store.states(), bytes: store.size() }),
  reconcile: ({ repository, snapshots }) => store.reconcile(repository, snapshots),
  add: async ({ repository, polynomial, facts }, id) => {
    await store.add(repository, polynomial, facts, sourceFor(id));
    return undefined;
  },
  leaveOut: async ({ repository, facts }) => {
    await store.leaveOut(repository, facts);
    return undefined;
  },
  complete: async ({ repository, at }) => {
    await store.complete(repository, at);
    return undefined;
  },
  drop: async ({ repository }) => {
    await store.drop(repository);
    return undefined;
  },
  check: ({ polynomial, facts }, id) => store.check(facts, polynomial, sourceFor(id)),
  index: async () => {
    await store.index();
    return undefined;
  },
  close: async () => {
    await store.close();
    return undefined;
  },
};

port.on('message', (message: ToCatalogue) => void hear(message));

async function hear(message: ToCatalogue): Promise<void> {
  if (message.kind !== 'task') {
    const answer = reads.get(message.read);
    reads.delete(message.read);
    if (message.kind === 'trees') answer?.resolve(message.listings);
    else answer?.reject(errorFromJSON(message.error));
    return;
  }
  const { id, task, args } = message;
  try {
    const result = await (tasks[task] as Task<typeof task>)(args as never, id);
    send({ kind: 'done', id, result, generation: store.generation });
  } catch (error) {
    send({ kind: 'failed', id, error: toHoldfastError(error).toJSON(), generation: store.generation });
  }
}
