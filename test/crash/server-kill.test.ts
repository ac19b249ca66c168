/**
 * The command line killed in the middle of a backup to real servers, again and again: a few times in `npm test`, often in
 * `npm run test:crash`. After each kill the repository is whole, every finished snapshot holds what it held, and the next run carries on.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { credentialsFrom } from '../../src/storage/credentials.ts';
import { openPlace } from '../../src/storage/place.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { type Cli, cleanEnvironment, cliProgram, quickRepositoryAt } from '../support/cli.ts';
import { contentOf } from '../support/content-of.ts';
import { startApache } from '../support/dav-servers.ts';
import { seededBytes, seededRandom } from '../support/seeded.ts';
import type { RunningServer } from '../support/servers.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { Swift, swiftKeys } from '../support/swift.ts';
import { scratch, tree } from '../support/tree-literal.ts';
import { expectWhole, type SnapshotContent } from '../support/whole-repository.ts';

const kills = process.env['HOLDFAST_LONG'] === '1' ? 25 : 2;
const random = seededRandom(22);

let swift: Swift;
let sshd: Sshd;
let apache: RunningServer;
beforeAll(async () => {
  [swift, sshd, apache] = await Promise.all([Swift.start(), startSshd(), startApache()]);
});
afterAll(() => Promise.all([swift, sshd, apache].map((each) => each.stop())));

/** Runs a backup, and kills it after so many milliseconds, if so many are named. */
async function backUp(
  cli: Cli,
  env: Record<string, string>,
  source: string,
  killAfter?: number,
): Promise<{ code: number | null; ms: number; said: string }> {
  const args = ['--repo', cli.repository, 'backup', source, '--pack-size', '4'];
  const began = systemClock.monotonic();
  const child = spawn(process.execPath, [cliProgram, ...args], {
    env: cleanEnvironment({ ...env, HOLDFAST_PASSWORD: cli.password, XDG_DATA_HOME: join(source, '..', 'data') }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece: Buffer) => (said += piece.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  if (killAfter !== undefined) {
    await Promise.race([ended, systemClock.sleep(killAfter)]);
    child.kill('SIGKILL');
  }
  const code = await ended;
  return { code, ms: systemClock.monotonic() - began, said };
}

async function withStorage<T>(place: string, env: Record<string, string>, use: (storage: Storage) => Promise<T>): Promise<T> {
  const storage = await openPlace(place, { clock: systemClock, credentials: credentialsFrom(env, undefined) });
  try {
    return await use(storage);
  } finally {
    await storage.close();
  }
}

test.each<[string, () => { place: string; env: Record<string, string> }]>([
  ['S3 (Swift)', () => ({ place: `s3:${swift.https}/killed/path`, env: { ...swiftKeys, HOLDFAST_CACERT: swift.authority } })],
  ['WebDAV (Apache)', () => ({ place: `webdav:${apache.url}/killed/`, env: {} })],
  [
    'SFTP (OpenSSH)',
    () => ({ place: sshd.place('killed'), env: { HOLDFAST_SFTP_KEY_FILE: sshd.keyFile, HOLDFAST_SFTP_KNOWN_HOSTS: sshd.knownHosts } }),
  ],
])(`a backup to %s killed ${kills} times harms nothing, and the next run carries on`, async (_, where) => {
  const { place, env } = where();
  const source = join(scratch('server-kill'), 'source');
  const cli = await quickRepositoryAt(place, env);
  const expected = new Map<string, SnapshotContent>();
  const known = new Set<string>();

  /** Reads the whole repository: finished snapshots are as they were, and new ones hold what the source holds now. */
  const judge = async (): Promise<{ locks: number; added: number }> => {
    const { snapshots, locks } = await withStorage(place, env, (storage) => expectWhole(storage, cli.password));
    const content = contentOf(source);
    for (const [id, was] of expected) expect(snapshots.get(id)).toEqual(was);
    const added = [...snapshots.keys()].filter((id) => !known.has(id));
    for (const id of added) {
      const found = new Map([...snapshots.get(id)!].filter(([path]) => path.startsWith(`${source}/`)));
      expect(found).toEqual(content);
      expected.set(id, snapshots.get(id)!);
      known.add(id);
    }
    return { locks, added: added.length };
  };
  const complete = async (): Promise<number> => {
    const { code, ms, said } = await backUp(cli, env, source);
    expect(code, said).toBe(0);
    expect(await judge()).toEqual({ locks: 0, added: 1 });
    return ms;
  };
  const change = (round: number): void =>
    void tree(source, {
      [`large ${round % 2}.bin`]: seededBytes(random, 5_000_000),
      [`${round % 5}.bin`]: seededBytes(random, 300_000),
      'last.txt': `${round}`,
    });

  change(0);
  let ms = await complete();
  let interrupted = 0;
  for (let round = 1; interrupted < kills; round++) {
    change(round);
    // Before that it has not asked the server for anything yet.
    const { code } = await backUp(cli, env, source, ms * (0.2 + 0.8 * random()));
    if (code === null) interrupted += 1;
    expect((await judge()).added).toBeLessThanOrEqual(1);
    ms = Math.min(ms, await complete());
  }
  const { stdout } = await cli.must(['check'], { env });
  expect(stdout).toContain('No errors were found');
});
