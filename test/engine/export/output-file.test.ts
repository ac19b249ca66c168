import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { fail } from '../../../src/contract/errors.ts';
import { executeExport } from '../../../src/engine/export/export.ts';
import { writeOutputFile } from '../../../src/engine/export/output-file.ts';
import { RunControl } from '../../../src/platform/cancellation.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { canMountDisks, mountDisk } from '../../support/disk.ts';
import { backup, makeRepository, runOptions } from '../../support/engine.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { scratch, sharedScratch, tree } from '../../support/tree-literal.ts';
import { expectSoundZip, pythonZip } from '../../support/zip.ts';

const random = seededRandom(4);
const dir = sharedScratch('output');
let repository: Repository;

beforeAll(async () => {
  repository = await makeRepository(join(dir, 'repository'));
  await backup(repository, tree(join(dir, 'source'), { 'a.bin': seededBytes(random, 12 << 20), b: 'b' }));
});

const write = (path: string, options: { replace?: boolean; control?: RunControl } = {}): Promise<unknown> =>
  writeOutputFile(repository, { path, replace: options.replace === true }, (sink) =>
    executeExport(repository, { snapshot: 'latest' }, runOptions(options.control ? { control: options.control } : {}), sink),
  );

describe('the file', () => {
  test('is whole and for its owner alone', async () => {
    const path = join(scratch('output'), 'out.zip');
    await write(path);
    await expectSoundZip(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('that is there already stays as it is, unless it may be replaced', async () => {
    const folder = scratch('output');
    const path = join(folder, 'out.zip');
    writeFileSync(path, 'precious');
    await expect(write(path)).rejects.toMatchObject({ code: 'export-exists' });
    expect(readFileSync(path, 'utf8')).toBe('precious');
    await write(path, { replace: true });
    await expectSoundZip(path);
    expect(readdirSync(folder)).toEqual(['out.zip']);
  });

  test('that somebody makes meanwhile is not replaced either', async () => {
    const folder = scratch('output');
    const path = join(folder, 'out.zip');
    const run = writeOutputFile(repository, { path, replace: false }, async (sink) => {
      await sink.write(Buffer.from('ours'));
      writeFileSync(path, 'theirs');
    });
    await expect(run).rejects.toMatchObject({ code: 'export-exists' });
    expect(readFileSync(path, 'utf8')).toBe('theirs');
    expect(readdirSync(folder)).toEqual(['out.zip']);
  });

  test('is not there before it is whole, and the old one is until then', async () => {
    const folder = scratch('output');
    const path = join(folder, 'out.zip');
    writeFileSync(path, 'old');
    await writeOutputFile(repository, { path, replace: true }, async (sink) => {
      await sink.write(Buffer.from('new'));
      expect(readFileSync(path, 'utf8')).toBe('old');
    });
    expect(readFileSync(path, 'utf8')).toBe('new');
  });

  test.each<[string, (folder: string) => string]>([
    ['a folder', (folder) => (mkdirSync(join(folder, 'x')), join(folder, 'x'))],
    ['in a folder that is not there', (folder) => join(folder, 'no', 'out.zip')],
    ['below a file', (folder) => (writeFileSync(join(folder, 'f'), ''), join(folder, 'f', 'out.zip'))],
    ['a device', () => '/dev/null'],
    ['of a name that is too long', (folder) => join(folder, 'n'.repeat(300))],
  ])('cannot be %s, and nothing is left', async (_, make) => {
    const folder = scratch('output');
    const path = make(folder);
    const before = readdirSync(folder);
    await expect(write(path, { replace: true })).rejects.toMatchObject({ code: 'export-unwritable', context: { path } });
    expect(readdirSync(folder)).toEqual(before);
  });

  test('cannot be in the repository, also through a link', async () => {
    const folder = scratch('output');
    symlinkSync(join(dir, 'repository'), join(folder, 'link'));
    for (const path of [join(dir, 'repository', 'out.zip'), join(dir, 'repository', 'data', 'out.zip'), join(folder, 'link', 'out.zip')])
      await expect(write(path)).rejects.toMatchObject({ code: 'target-unusable' });
    expect(readdirSync(join(dir, 'repository')).sort()).toEqual(['config', 'data', 'index', 'keys', 'locks', 'snapshots']);
  });
});

describe('of a run that does not end well nothing is left', () => {
  test('when it fails', async () => {
    const folder = scratch('output');
    const run = writeOutputFile(repository, { path: join(folder, 'out.zip'), replace: false }, async (sink) => {
      await sink.write(Buffer.from('half'));
      return fail('storage-gone', { location: 'here' });
    });
    await expect(run).rejects.toMatchObject({ code: 'storage-gone' });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('when it is cancelled', async () => {
    const folder = scratch('output');
    const control = new RunControl();
    const run = writeOutputFile(repository, { path: join(folder, 'out.zip'), replace: false }, (sink) =>
      executeExport(repository, { snapshot: 'latest' }, runOptions({ control }), {
        async write(bytes) {
          await sink.write(bytes);
          control.cancel();
        },
      }),
    );
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('when it is killed, once the next one comes by', async () => {
    const folder = scratch('output');
    const path = join(folder, 'out.zip');
    const program = fileURLToPath(new URL('../../support/output-process.ts', import.meta.url));
    const child = spawn(process.execPath, [program, join(dir, 'repository'), path], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    const [part] = readdirSync(folder);
    expect(part).toMatch(/^\.holdfast-.*\.part$/);
    // What a living process writes is left alone.
    await write(join(folder, 'other.zip'));
    expect(readdirSync(folder)).toContain(part);
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
    expect(existsSync(path)).toBe(false);
    await write(path);
    expect(readdirSync(folder).sort()).toEqual(['other.zip', 'out.zip']);
    await expectSoundZip(path);
  });
});

describe.skipIf(!canMountDisks)('on a small disk', () => {
  test('that gets full, the run says so, and neither half a file nor a changed one is left', async () => {
    const { folder, grow } = mountDisk(8 << 20);
    rmSync(join(folder, 'lost+found'), { recursive: true });
    const path = join(folder, 'out.zip');
    writeFileSync(path, 'old');
    await expect(write(path, { replace: true })).rejects.toMatchObject({ code: 'export-full', context: { path } });
    expect(readdirSync(folder)).toEqual(['out.zip']);
    expect(readFileSync(path, 'utf8')).toBe('old');
    grow(32 << 20);
    await write(path, { replace: true });
    expect((await pythonZip(path)).length).toBeGreaterThan(2);
  });

  test('that is read-only, the run says so', async () => {
    const disk = mountDisk(8 << 20);
    disk.remount('ro');
    await expect(write(join(disk.folder, 'out.zip'))).rejects.toMatchObject({ code: 'export-unwritable' });
  });
});
