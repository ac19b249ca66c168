/** A repository of a million files and 50 snapshots that is connected: how soon all of it is in the catalogue, and what the first questions take. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { systemClock } from '../../src/platform/clock.ts';
import { BlobEncoder } from '../../src/repository/blob-codec.ts';
import { BlobIndex } from '../../src/repository/blob-index.ts';
import { sha256 } from '../../src/repository/ids.ts';
import { type FinishedPack, Packer } from '../../src/repository/packer.ts';
import { Repository } from '../../src/repository/repository.ts';
import { formatTree } from '../../src/repository/tree/format.ts';
import { PackStore } from '../../src/engine/pack-store.ts';
import { credentialsOf } from '../../src/storage/credentials.ts';
import { openPlace } from '../../src/storage/place.ts';
import { identity } from '../support/engine.ts';
import { madeOnceAsync } from './data.ts';
import { changedIn, foldersInEach, lastChanges, mix, nameOf, namesIn, snapshots, timeOf } from './made-up.ts';
import { password } from './programs.ts';
import { serving } from './serving.ts';

const source = '/home/somebody';

/** The repository, made once for a folder: nothing but trees, for no question asks for a file's data. */
export const madeUpRepository = (folder: string): Promise<string> =>
  madeOnceAsync(join(folder, 'made-up-repository'), async (place) => {
    const storage = await openPlace(place, { credentials: credentialsOf({}), clock: systemClock });
    const repository = await Repository.init(storage, password, identity, systemClock);
    const store = new PackStore(repository, BlobIndex.create(), { ensure: async () => {} }, systemClock);
    const packs: FinishedPack[] = [];
    const take = (bytes: number): ArrayBuffer => new ArrayBuffer(bytes);
    const { packSize, sealer } = repository;
    const packer = new Packer('tree', packSize, new BlobEncoder(sealer), sealer, take, (pack) => void packs.push(pack));
    const add = async (nodes: readonly string[]): Promise<string> => {
      const text = formatTree(nodes);
      const id = sha256(text);
      packer.add(id, text);
      for (const pack of packs.splice(0)) await store.store(pack);
      return id.toString('hex');
    };
    const trees = new Map<number, string>();
    const last = lastChanges();
    for (let s = 0; s < snapshots; s++) {
      const changed = [...last[s].keys()].filter((folder) => last[s][folder] === s);
      for (const folder of changed)
        trees.set(folder, await add(namesIn(folder).map(({ name, number }) => fileText(name, folder, number, s))));
      for (const group of new Set(changed.map((folder) => -2 - Math.floor(folder / foldersInEach))))
        trees.set(group, await add(inFolder(group, trees)));
      const root = await add(inFolder(-1, trees));
      const somebody = await add([folderText('somebody', root)]);
      const tree = await add([folderText('home', somebody)]);
      packer.finish();
      for (const pack of packs.splice(0)) await store.store(pack);
      await store.flushIndex();
      await repository.saveSnapshot({ time: timeOf(s), tree, paths: [source], hostname: 'pc', username: 'somebody' });
    }
    await storage.close();
  });

const inFolder = (folder: number, trees: ReadonlyMap<number, string>): string[] =>
  namesIn(folder).map(({ name, number }) => folderText(name.toString(), trees.get(number)!));

const owner = '"uid":1000,"gid":1000,"user":"somebody","group":"somebody"';

/** As restic and Holdfast write them. */
function fileText(name: Buffer, folder: number, file: number, at: number): string {
  const changed = changedIn(folder, file, at);
  const time = `${timeOf(changed).slice(0, 19)}.${String(mix(folder, file) % 1_000_000_000).padStart(9, '0')}Z`;
  const content = sha256(Buffer.from(`${folder} ${file} ${changed}`)).toString('hex');
  return `{"name":"${name.toString()}","type":"file","mode":420,"mtime":"${time}","atime":"${time}","ctime":"${time}",${owner},"inode":${folder * 131_072 + file + 1000},"device_id":2049,"size":${1000 + (mix(file, changed) % 1_000_000)},"links":1,"content":["${content}"]}`;
}

const folderText = (name: string, tree: string): string =>
  `{"name":"${name}","type":"dir","mode":2147484141,"mtime":"${timeOf(0)}","atime":"${timeOf(0)}","ctime":"${timeOf(0)}",${owner},"inode":7,"device_id":2049,"content":null,"subtree":"${tree}"}`;

export interface ConnectedFigures {
  /** From connecting until the catalogue has all, and time of the processor; milliseconds. */
  readonly complete: number;
  readonly cpu: number;
  readonly bytes: number;
  /** The first 200 entries of the folder of 100,000, read from the repository while the catalogue does not have them; milliseconds. */
  readonly browsed: number;
  /** Each question of a service that has just begun, with nothing of its file in memory, in milliseconds: the first call of the first question that was asked, and so on. */
  readonly cold: Readonly<Record<string, number>>;
}

/** `repository` as {@link madeUpRepository} makes it. */
export async function connectedRepository(
  folder: string,
  repository: string,
  tell: (text: string) => void = () => {},
): Promise<ConnectedFigures> {
  const large = `${source}/group 0/folder 0`;
  const small = `${source}/group 77/folder 33`;
  const built = await serving(folder, async ({ client, cpu, catalogueFile }) => {
    const [began, before] = [systemClock.monotonic(), cpu()];
    await client.destinations.connect({ place: repository, password, create: false });
    const { snapshots: listed } = await client.snapshots.list({});
    const asked = systemClock.monotonic();
    await client.browse.folder({ snapshot: listed[0].key, path: large, limit: 200 });
    const browsed = systemClock.monotonic() - asked;
    for (let told = -1; ; ) {
      const { destinations, bytes } = await client.catalogue.state();
      const [{ state, snapshots: known, problem }] = destinations;
      if (known !== told) tell(`${known} snapshots after ${Math.round(systemClock.monotonic() - began)} ms`);
      told = known;
      if (problem) throw new Error(problem.message);
      if (state === 'complete') return { complete: systemClock.monotonic() - began, cpu: cpu() - before, bytes, browsed, catalogueFile };
      await systemClock.sleep(100);
    }
  });
  const { catalogueFile, ...figures } = built;
  // The system forgets what it has of the file; see dd(1).
  execFileSync('dd', [`if=${catalogueFile}`, 'iflag=nocache', 'count=0'], { stdio: 'ignore' });
  const cold = await serving(folder, async ({ client }) => {
    const times: Record<string, number> = {};
    const { snapshots: listed } = await client.catalogue.snapshots({ limit: 50 });
    const { snapshot } = listed[25];
    const timed = async (name: string, ask: () => Promise<unknown>): Promise<void> => {
      const began = systemClock.monotonic();
      await ask();
      times[name] = systemClock.monotonic() - began;
    };
    await timed('a folder of 100,000', () => client.catalogue.folder({ snapshot, path: large, limit: 200 }));
    await timed('a folder of 45', () => client.catalogue.folder({ snapshot, path: small, limit: 200 }));
    await timed('a folder of 100,000, by size', () => client.catalogue.usage({ snapshot, path: large, limit: 200 }));
    await timed('versions of a file', () => client.catalogue.versions({ path: `${small}/${nameOf(7733, 10)}`, limit: 200 }));
    await timed('search: a name of one file', () => client.catalogue.search({ text: nameOf(12_345, 7).slice(0, -4), limit: 200 }));
    await timed('search: holiday', () => client.catalogue.search({ text: 'holiday', limit: 200 }));
    await timed('search: 会议', () => client.catalogue.search({ text: '会议', limit: 200 }));
    await timed('search: *2024*.jpg', () => client.catalogue.search({ text: '*2024*.jpg', limit: 200 }));
    return times;
  });
  return { ...figures, cold };
}
