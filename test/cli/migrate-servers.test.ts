/** An upgrade of the repository's format on every kind of server: those that replace a file in one step, and those that do not. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { credentialsFrom } from '../../src/storage/credentials.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { openPlace } from '../../src/storage/place.ts';
import { fileKinds } from '../../src/storage/storage.ts';
import { Cli } from '../support/cli.ts';
import { password } from '../support/engine.ts';
import { remoteKinds } from '../support/kinds.ts';
import { jsonLines } from '../support/restic.ts';
import { sharedScratch, tree } from '../support/tree-literal.ts';
import { makeVersion1 } from '../support/version-1.ts';
import { expectWhole } from '../support/whole-repository.ts';

const folder = join(sharedScratch('migrate-servers'), 'repository');
let stop: (() => Promise<void>) | undefined;

beforeAll(() => makeVersion1(folder, [tree(join(folder, '..', 'source'), { 'a.txt': 'alpha', docs: { 'b.txt': 'beta' } })]));
afterEach(() => stop?.());

test.each(Object.entries(remoteKinds))(
  'a repository of version 1 on %s becomes one of version 2, with all that it holds',
  async (name, start) => {
    const own = join(folder, '..', name.replaceAll(/\W/g, '-'));
    mkdirSync(own);
    const started = await start(own);
    stop = () => started.stop();
    const { env } = started;
    const place = started.place('migrated');
    const storage = await openPlace(place, { clock: systemClock, credentials: credentialsFrom(env, undefined) });
    const local = new LocalStorage(folder);
    await storage.create();
    for (const kind of fileKinds)
      for await (const { name } of local.list(kind))
        if (kind !== 'lock') await storage.save({ kind, name }, [await local.load({ kind, name })]);
    const before = await expectWhole(storage, password);
    const cli = new Cli(place, password);
    const ours = { ...env, XDG_DATA_HOME: join(folder, '..', 'data') };
    const { stdout } = await cli.must(['--json', 'migrate'], { env: ours });
    expect(jsonLines(stdout).at(-1)).toMatchObject({ type: 'summary', version: 1, target: 2 });
    expect((await cli.must(['migrate'], { env: ours })).stdout).toContain('has format version 2 already');
    const after = await expectWhole(storage, password);
    expect(after.snapshots).toEqual(before.snapshots);
    expect(after.locks).toBe(0);
    expect(Buffer.from(await storage.load({ kind: 'config', name: '' })).equals(readFileSync(join(folder, 'config')))).toBe(false);
    await storage.close();
  },
);
