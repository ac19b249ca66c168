/** What is measured over a network: OpenStack Swift on this machine, every request of which waits. See works.ts. */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock } from '../../src/platform/clock.ts';
import { credentialsFrom } from '../../src/storage/credentials.ts';
import { openPlace } from '../../src/storage/place.ts';
import { fileKinds, type Storage } from '../../src/storage/storage.ts';
import { Authority } from '../support/authority.ts';
import { Swift, swiftKeys } from '../support/swift.ts';
import { changeTree, randomTree } from './data.ts';
import { measure } from './measure.ts';
import { init, type Program } from './programs.ts';
import { addBlobs, clear, type Figures, type Places, type Work } from './works.ts';

const delayMs = 50;

export interface Cloud {
  readonly works: readonly Work[];
  stop(): Promise<void>;
}

/** Starts the server, and sets what opens it in this process's environment. Both programs keep what they like on this computer. */
export async function startCloud({ folder, memory }: Places): Promise<Cloud> {
  const swift = await Swift.start();
  const authority = new Authority(join(memory, 'authority'));
  const { certificate, key } = authority.sign('proxy');
  const program = join(import.meta.dirname, 'delaying-proxy.ts');
  const args = [program, new URL(swift.http).port, certificate, key, String(delayMs)];
  const proxy = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(proxy.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<number> => Number((await lines.next()).value);
  const port = await next();
  const requests = async (): Promise<number> => {
    proxy.stdin.write('\n');
    return next();
  };
  const caches = { RESTIC_CACHE_DIR: join(memory, 'cache-restic'), HOLDFAST_CACHE_FOLDER: join(memory, 'cache-holdfast') };
  Object.assign(process.env, swiftKeys, caches, { RESTIC_CACERT: authority.certificate, HOLDFAST_CACERT: authority.certificate });

  const addressOf = (bucket: string): string => `s3:https://127.0.0.1:${port}/${bucket}`;
  /** Past the proxy. The server keeps everything in memory. */
  const direct = (bucket: string): Promise<Storage> =>
    openPlace(`s3:${swift.http}/${bucket}`, { clock: systemClock, credentials: credentialsFrom(process.env, undefined) });
  const empty = async (bucket: string): Promise<void> => {
    const storage = await direct(bucket);
    for (const kind of fileKinds) for await (const { name } of storage.list(kind)) await storage.remove({ kind, name });
    await storage.close();
  };
  let original: Promise<unknown> | undefined;
  /** A copy of one that restic has made: the key of each costs the same. */
  const emptyRepository = async (bucket: string): Promise<string> => {
    await (original ??= measure(init(addressOf('empty'))));
    const [from, to] = await Promise.all([direct('empty'), direct(bucket)]);
    await to.create();
    for (const kind of ['key', 'config'] as const)
      for await (const { name } of from.list(kind)) await to.save({ kind, name }, [await from.load({ kind, name })]);
    await Promise.all([from.close(), to.close()]);
    return addressOf(bucket);
  };
  const source = (): string => randomTree(folder);
  const filled = new Map<string, Promise<string>>();
  const filledBy = (by: Program): Promise<string> => {
    const made =
      filled.get(by.name) ??
      emptyRepository(`filled-${by.name}`).then(async (repository) => (await measure(by.backup(repository, source())), repository));
    filled.set(by.name, made);
    return made;
  };
  const counted = async (work: () => Promise<Figures>): Promise<Figures> => {
    await requests();
    const figures = await work();
    return { ...figures, requests: await requests() };
  };

  const works: Work[] = [
    {
      name: 'cloud: nothing changed',
      wanted: 0.7,
      async round(by) {
        const repository = await filledBy(by);
        return counted(() => measure(by.backup(repository, source())));
      },
    },
    {
      name: 'cloud: restore',
      wanted: 0.8,
      async round(by) {
        const repository = await filledBy(by);
        const into = join(memory, 'restored');
        mkdirSync(into, { recursive: true });
        const figures = await counted(() => measure(by.restore(repository, into)));
        clear(into);
        return figures;
      },
    },
    {
      name: 'cloud: first backup',
      wanted: 0.8,
      async round(by) {
        const repository = await emptyRepository('first');
        const figures = await counted(() => measure(by.backup(repository, source())));
        await empty('first');
        return figures;
      },
    },
  ];
  const million = new Map<string, Promise<string>>();
  const millionBlobs = (by: Program): Promise<string> => {
    const made =
      million.get(by.name) ??
      emptyRepository(`million-${by.name}`).then(async (repository) => {
        const small = join(memory, 'small');
        changeTree(small, 0);
        await measure(by.backup(repository, small));
        const storage = await direct(`million-${by.name}`);
        await addBlobs(storage, 1_000_000);
        await storage.close();
        // From now on what it reads is kept near.
        await measure(by.ls(repository));
        return repository;
      });
    million.set(by.name, made);
    return made;
  };
  works.push({
    name: 'cloud: ls with a million blobs, opening subtracted',
    wanted: 1,
    wantedMs: 1000,
    async round(by) {
      const repository = await millionBlobs(by);
      const opened = await measure(by.open(repository));
      const listed = await measure(by.ls(repository));
      return { wall: listed.wall - opened.wall, memory: listed.memory };
    },
  });
  return {
    works,
    async stop() {
      proxy.stdin.end();
      await swift.stop();
    },
  };
}
