/** The engine's worker with further jobs, which do what no verb does on purpose. worker-pool.test.ts starts it in place of the real one. */
import { randomBytes } from 'node:crypto';
import { fail } from '../../src/contract/errors.ts';
import type { WorkerContext } from '../../src/engine/workers/context.ts';
import { jobs } from '../../src/engine/workers/jobs.ts';
import { sha256 } from '../../src/repository/ids.ts';
import type { Range, StoredFile } from '../../src/storage/storage.ts';

export const testJobs = {
  /** Stores `count` random blobs of `bytes` bytes; returns how many this worker stored. */
  storeRandom({ count, bytes }: { count: number; bytes: number }, context: WorkerContext): number {
    let stored = 0;
    for (let i = 0; i < count; i++) {
      context.control.checkpoint();
      const plain = randomBytes(bytes);
      if (context.store('data', sha256(plain), plain) > 0) stored += 1;
    }
    return stored;
  },
  /** Stores the texts as blobs; returns which of them this call stored. */
  storeTexts(texts: readonly string[], context: WorkerContext): boolean[] {
    return texts.map((text) => context.store('data', sha256(Buffer.from(text)), Buffer.from(text)) > 0);
  },
  loadTexts(texts: readonly string[], context: WorkerContext): string[] {
    return texts.map((text) => Buffer.from(context.loadBlob('data', sha256(Buffer.from(text)))).toString());
  },
  readFiles(files: readonly { file: StoredFile; range?: Range }[], context: WorkerContext): Uint8Array[] {
    return files.map(({ file, range }) => new Uint8Array(context.read(file, range)));
  },
  failWithCode(path: string): never {
    return fail('source-missing', { path });
  },
  failPlainly(): never {
    throw new TypeError('a defect');
  },
  returnUnsendable: () => () => 'a function cannot be sent',
  crash: (): void => process.exit(7),
  crashWhenCancelled(_: undefined, context: WorkerContext): never {
    while (!context.control.isCancelled);
    process.exit(7);
  },
  crashLater: (): void => queueMicrotask(() => fail('internal', { cause: 'thrown outside of any job' })),
  untilCancelled(_: undefined, context: WorkerContext): void {
    context.progress.path = Buffer.from('/spinning');
    for (;;) context.control.checkpoint();
  },
  echo: (value: unknown): unknown => value,
  notes(texts: readonly string[], context: WorkerContext): void {
    for (const text of texts) context.note(text);
  },
};

Object.assign(jobs, testJobs);
await import('../../src/engine/workers/worker.ts');
