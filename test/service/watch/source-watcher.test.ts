import { execFileSync, spawnSync } from 'node:child_process';
import {
  type Dirent,
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { compileExcludes, type ExcludeOptions } from '../../../src/engine/backup/exclude.ts';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { SourceWatcher, type SourceWatcherOptions } from '../../../src/service/watch/source-watcher.ts';
import { type SystemWatches, systemWatches, type WatchListener } from '../../../src/service/watch/system-watches.ts';
import { canMountDisks } from '../../support/disk.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { seededRandom } from '../../support/seeded.ts';
import { scratch, tree } from '../../support/tree-literal.ts';

/** Paths from the source, of all that was marked since the last cut; each cut is kept until one has what is waited for. */
class Watched {
  readonly watcher: SourceWatcher;
  readonly clock: FakeClock;
  readonly root: string;
  told = 0;
  folders = new Set<string>();
  doubts = new Set<string>();

  constructor(root: string, exclude: ExcludeOptions = {}, options: Partial<SourceWatcherOptions> = {}) {
    this.root = root;
    this.clock = new FakeClock();
    this.watcher = new SourceWatcher({
      clock: this.clock,
      sources: [Buffer.from(root)],
      rules: compileExcludes(exclude),
      onChange: () => void (this.told += 1),
      ...options,
    });
    onTestFinished(() => this.watcher.close());
  }

  /** Ready, and with a first cut behind it. */
  async begin(): Promise<this> {
    await this.watcher.ready;
    expect(this.watcher.cut()).toEqual({ sequence: 1, folders: [], doubts: ['restarted'] });
    return this;
  }

  take(): this {
    const { folders, doubts } = this.watcher.cut();
    for (const folder of folders) this.folders.add(folder.toString('latin1').slice(this.root.length) || '/');
    for (const doubt of doubts) this.doubts.add(doubt);
    return this;
  }

  /** Waits for events, which come when they come. */
  async until(condition: () => boolean): Promise<void> {
    while (!this.take() || !condition()) await systemClock.sleep(5);
  }

  /** All events that are on their way have come: one that was made now has. */
  async quiet(): Promise<void> {
    const sign = join(this.root, `sign-${Math.random()}`);
    const had = this.folders.has('/');
    this.take();
    this.folders.delete('/');
    writeFileSync(sign, '');
    await this.until(() => this.folders.has('/'));
    await this.watcher.ready;
    if (!had) this.folders.delete('/');
  }

  clear(): void {
    this.take();
    this.folders.clear();
    this.doubts.clear();
  }

  get found(): string[] {
    return [...this.folders].sort();
  }
}

const mayUnshare = spawnSync('unshare', ['--user', '--map-root-user', 'true']).status === 0;

const opening = (open: SystemWatches['open']): SystemWatches => ({ isRecursive: false, open, onLoss: () => () => {} });

const plain = { a: { 'f.txt': '1', b: { 'g.txt': '1' } }, c: { 'h.txt': '1' } };

describe('a watcher of sources', () => {
  test.each<[string, (root: string) => void, string[]]>([
    ['a file that is written', (root) => appendFileSync(join(root, 'a/b/g.txt'), 'more'), ['/a/b']],
    ['a file that is made', (root) => writeFileSync(join(root, 'c/new'), ''), ['/c']],
    ['a file that is removed', (root) => unlinkSync(join(root, 'c/h.txt')), ['/c']],
    ['a file that is moved', (root) => renameSync(join(root, 'a/f.txt'), join(root, 'c/f.txt')), ['/a', '/c']],
    ['a file whose permissions change', (root) => chmodSync(join(root, 'a/f.txt'), 0o600), ['/a']],
    ['a folder whose permissions change, in the one that it is in', (root) => chmodSync(join(root, 'a/b'), 0o700), ['/a', '/a/b']],
    ['a link that is made', (root) => symlinkSync('/', join(root, 'a/link')), ['/a']],
    ['a folder that is removed', (root) => rmSync(join(root, 'a/b'), { recursive: true }), ['/a', '/a/b']],
    ['a new folder, and all in it', (root) => tree(join(root, 'c'), { n: { m: { o: { x: '1' } } } }), ['/c', '/c/n', '/c/n/m', '/c/n/m/o']],
    [
      'a folder that is moved, where it was and all of it where it is',
      (root) => renameSync(join(root, 'a'), join(root, 'c/a')),
      ['/', '/c', '/c/a', '/c/a/b'],
    ],
  ])('sees %s', async (_, change, expected) => {
    const watched = await new Watched(tree(scratch(), plain)).begin();
    change(watched.root);
    await watched.until(() => expected.every((path) => watched.folders.has(path)));
    await watched.quiet();
    // A folder that is changed may be told of by itself as well.
    expect(watched.found.filter((path) => !expected.includes(path))).toEqual([]);
    expect([...watched.doubts]).toEqual([]);
    expect(watched.told).toBeGreaterThan(0);
  });

  test('sees what happens in 900 nested folders that were made at once', async () => {
    const watched = await new Watched(scratch()).begin();
    const folders = Array.from({ length: 900 }, (_, i) => `/n/${i % 30}/m/${i}`);
    for (const folder of folders) mkdirSync(join(watched.root, folder), { recursive: true });
    await watched.until(() => folders.every((folder) => watched.folders.has(folder)));
    await watched.quiet();
    watched.clear();
    for (const folder of folders) writeFileSync(join(watched.root, folder, 'x'), '');
    await watched.until(() => folders.every((folder) => watched.folders.has(folder)));
    expect(watched.watcher.watched).toBe(1 + 1 + 30 + 30 + 900);
    expect([...watched.doubts]).toEqual([]);
  });

  test('goes on in trees that were moved, within the source, out of it and into it', async () => {
    const watched = await new Watched(tree(scratch(), plain)).begin();
    const outside = tree(scratch(), { d: { e: { x: '1' } } });
    renameSync(join(watched.root, 'a'), join(watched.root, 'c/a'));
    renameSync(join(outside, 'd'), join(watched.root, 'd'));
    await watched.until(() => watched.folders.has('/c/a/b') && watched.folders.has('/d/e'));
    await watched.quiet();
    watched.clear();
    appendFileSync(join(watched.root, 'c/a/b/g.txt'), 'more');
    appendFileSync(join(watched.root, 'd/e/x'), 'more');
    await watched.until(() => watched.folders.has('/c/a/b') && watched.folders.has('/d/e'));
    renameSync(join(watched.root, 'c/a'), join(outside, 'a'));
    await watched.until(() => watched.folders.has('/c'));
    await watched.quiet();
    watched.clear();
    appendFileSync(join(outside, 'a/b/g.txt'), 'more');
    await watched.quiet();
    expect(watched.found).toEqual([]);
    expect(watched.watcher.watched).toBe(4);
  });

  test.each([1, 2])('watches every folder that there is, and no other, after 300 things at random (seed %d)', async (seed) => {
    const random = seededRandom(seed);
    const watched = await new Watched(tree(scratch(), plain)).begin();
    const folders = (): string[] =>
      (readdirSync(watched.root, { recursive: true, withFileTypes: true }) as Dirent[])
        .filter((entry) => entry.isDirectory())
        .map(({ parentPath, name }) => join(parentPath, name).slice(watched.root.length));
    for (let i = 0; i < 300; i++) {
      const all = ['', ...folders()];
      const pick = (): string => join(watched.root, all[Math.floor(random() * all.length)]!);
      const [here, there] = [pick(), pick()];
      const what = random();
      if (what < 0.4) mkdirSync(join(here, `${i}`, 'deep', 'er'), { recursive: true });
      else if (what < 0.7 && here !== watched.root && !`${there}/`.startsWith(`${here}/`)) renameSync(here, join(there, `m${i}`));
      else if (what < 0.8 && here !== watched.root) rmSync(here, { recursive: true });
      else if (what < 0.85 && here !== watched.root) {
        rmSync(here, { recursive: true });
        mkdirSync(here);
      } else writeFileSync(join(here, `f${i}`), '');
      // Now and then what happened is heard of in between.
      if (random() < 0.02) await watched.quiet();
    }
    await watched.quiet();
    expect([...watched.doubts]).toEqual([]);
    expect(watched.watcher.watched).toBe(1 + folders().length);
    watched.clear();
    for (const folder of folders()) writeFileSync(join(watched.root, folder, 'last'), '');
    const last = folders();
    await watched.until(() => last.every((folder) => watched.folders.has(folder)));
  });

  test('tells nothing of what the plan leaves out, but knows of folders that are other ones for it', async () => {
    const root = tree(scratch(), {
      keep: { a: '1' },
      node_modules: { deep: { a: '1' } },
      tagged: { 'CACHEDIR.TAG': 'Signature: 8a477f597d28d172789f06886806bc55', in: { a: '1' } },
    });
    const watched = await new Watched(root, { patterns: ['node_modules', '*.tmp'], caches: true }).begin();
    expect(watched.watcher.watched).toBe(3);
    writeFileSync(join(root, 'node_modules/deep/b'), '');
    writeFileSync(join(root, 'tagged/in/b'), '');
    writeFileSync(join(root, 'tagged/b'), '');
    writeFileSync(join(root, 'keep/x.tmp'), '');
    unlinkSync(join(root, 'keep/x.tmp'));
    await watched.until(() => watched.folders.has('/tagged'));
    // Their own times have changed with what came and went in them.
    expect(watched.found).toEqual(['/keep', '/tagged']);
    expect(watched.told).toBe(0);
    writeFileSync(join(root, 'keep/CACHEDIR.TAG'), 'Signature: 8a477f597d28d172789f06886806bc55');
    unlinkSync(join(root, 'tagged/CACHEDIR.TAG'));
    await watched.until(() => watched.folders.has('/keep') && watched.folders.has('/tagged') && watched.watcher.watched === 4);
  });

  test('knows names of any bytes', async () => {
    const root = scratch();
    const odd = Buffer.concat([Buffer.from(`${root}/odd`), Buffer.of(0xff, 0x0a)]);
    mkdirSync(odd);
    const watched = await new Watched(root).begin();
    writeFileSync(Buffer.concat([odd, Buffer.from('/x')]), '');
    await watched.until(() => watched.folders.has('/odd\u00ff\n'));
  });

  test('watches a folder from the moment at which it may be looked into', async () => {
    const root = tree(scratch(), { closed: { a: '1' } });
    let isClosed = true;
    const system = opening((path, listener) => {
      if (isClosed && path.toString().endsWith('/closed')) throw Object.assign(new Error('permission denied'), { code: 'EACCES' });
      return systemWatches.open(path, listener);
    });
    const watched = await new Watched(root, {}, { system }).begin();
    expect(watched.watcher.watched).toBe(1);
    isClosed = false;
    chmodSync(join(root, 'closed'), 0o700);
    await watched.until(() => watched.watcher.watched === 2);
  });

  test('of a file sees that it changes, goes and comes', async () => {
    const root = tree(scratch(), { file: '1' });
    const watched = await new Watched(root, {}, { sources: [Buffer.from(join(root, 'file'))] }).begin();
    appendFileSync(join(root, 'file'), 'more');
    await watched.clock.advance(30_000);
    expect(watched.take().found).toEqual(['/']);
    unlinkSync(join(root, 'file'));
    await watched.clock.advance(30_000);
    expect(watched.watcher.notes()).toEqual([{ kind: 'missing', path: Buffer.from(join(root, 'file')) }]);
    writeFileSync(join(root, 'file'), '2');
    await watched.clock.advance(30_000);
    expect([...watched.take().doubts]).toEqual(['root-changed']);
    expect(watched.watcher.notes()).toEqual([]);
  });

  test('of a folder that is deleted and made again watches the new one', async () => {
    const root = join(scratch(), 'source');
    tree(root, plain);
    const watched = await new Watched(root).begin();
    rmSync(root, { recursive: true });
    tree(root, { z: { x: '1' } });
    await watched.until(() => watched.doubts.has('root-changed'));
    await watched.clock.advance(30_000);
    await watched.until(() => watched.folders.has('/z'));
    rmSync(root, { recursive: true });
    await watched.until(() => watched.watcher.notes().length > 0);
    expect(watched.watcher.watched).toBe(0);
    watched.clear();
    tree(root, { y: { x: '1' } });
    await watched.clock.advance(30_000);
    await watched.until(() => watched.folders.has('/y'));
    await watched.quiet();
    watched.clear();
    writeFileSync(join(root, 'y/new'), '');
    await watched.until(() => watched.folders.has('/y'));
    expect(watched.watcher.notes()).toEqual([]);
  });

  test('of a folder whose parent is moved away watches the one that takes its place', async () => {
    const above = tree(scratch(), { p: { source: { a: { x: '1' } } } });
    const watched = await new Watched(join(above, 'p/source')).begin();
    renameSync(join(above, 'p'), join(above, 'q'));
    tree(above, { p: { source: { b: { x: '1' } } } });
    await watched.clock.advance(30_000);
    await watched.until(() => watched.doubts.has('root-changed') && watched.folders.has('/b'));
  });

  test.skipIf(!canMountDisks)('notices that something is mounted in a source, or unmounted', async () => {
    const root = tree(scratch(), { m: { x: '1' } });
    const watched = await new Watched(root).begin();
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(root, 'm')]);
    onTestFinished(() => void execFileSync('sh', ['-c', 'mountpoint -q "$0" && umount -l "$0" || true', join(root, 'm')]));
    await watched.clock.advance(30_000);
    await watched.until(() => watched.doubts.has('mount-changed') && watched.folders.has('/m'));
    watched.clear();
    writeFileSync(join(root, 'm/y'), '');
    await watched.until(() => watched.folders.has('/m'));
    watched.clear();
    execFileSync('umount', ['-l', join(root, 'm')]);
    await watched.clock.advance(30_000);
    await watched.until(() => watched.doubts.has('mount-changed'));
  });

  // What macOS and Windows tell, by their documentation: nobody but them does.
  test('follows a whole source with one watch where the system can', async () => {
    const listeners: WatchListener[] = [];
    let count = 0;
    const open: SystemWatches['open'] = (_, listener) => {
      listeners.push(listener);
      count += 1;
      return { close: () => void (count -= 1) };
    };
    const tell = (renamed: boolean, name?: Buffer): void => listeners.at(-1)!.event(renamed, name);
    const watched = await new Watched(
      tree(scratch(), plain),
      { patterns: ['*.tmp', 'c/'] },
      { system: { ...opening(open), isRecursive: true } },
    ).begin();
    tell(false, Buffer.from('a/b/x.tmp'));
    tell(true, Buffer.from('c/h.txt'));
    expect(watched.take().found).toEqual([]);
    tell(false, Buffer.from('a/b/g.txt'));
    tell(true, Buffer.from('top'));
    expect(watched.take().found).toEqual(['/', '/a/b']);
    tell(false);
    expect([...watched.take().doubts]).toEqual(['burst']);
    listeners.at(-1)!.failed();
    expect([...watched.take().doubts]).toEqual(['burst', 'root-changed']);
    expect(count).toBe(1);
  });
});

describe('the cuts of a watcher', () => {
  test('are numbered, and hold each change once', async () => {
    const watched = await new Watched(tree(scratch(), plain)).begin();
    writeFileSync(join(watched.root, 'c/x'), '');
    await watched.until(() => watched.folders.has('/c'));
    await watched.quiet();
    const cut = watched.watcher.cut();
    expect(cut.folders).toEqual([]);
    expect(watched.watcher.cut().sequence).toBe(cut.sequence + 1);
  });

  test('tell of a change that came just after one that was told', async () => {
    const watched = await new Watched(tree(scratch(), plain)).begin();
    await watched.clock.advance(5000);
    writeFileSync(join(watched.root, 'c/x'), '');
    while (watched.told < 1) await systemClock.sleep(5);
    expect(watched.told).toBe(1);
    writeFileSync(join(watched.root, 'a/x'), '');
    await watched.until(() => watched.folders.has('/a'));
    writeFileSync(join(watched.root, 'a/y'), '');
    while (watched.told < 2) await systemClock.sleep(5);
  });

  test('doubt when there were more events than the kernel keeps, and say nothing is missing when there were not', async () => {
    const most = Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8'));
    const watched = await new Watched(tree(scratch(), plain)).begin();
    const [x, y] = [join(watched.root, 'c/x'), join(watched.root, 'c/y')];
    writeFileSync(x, '');
    await watched.quiet();
    // Nobody reads meanwhile; each is four events that the kernel cannot merge.
    const toAndFro = (): void => {
      renameSync(x, y);
      renameSync(y, x);
    };
    for (let i = 0; i < most / 16; i++) toAndFro();
    await watched.quiet();
    expect([...watched.doubts]).toEqual([]);
    for (let i = 0; i < most / 8; i++) toAndFro();
    await watched.quiet();
    expect([...watched.doubts]).toEqual(['burst']);
    watched.clear();
    expect([...watched.take().doubts]).toEqual([]);
    for (let i = 0; i < most; i++) toAndFro();
    await watched.until(() => watched.doubts.has('burst'));
  });

  test('doubt until all is watched anew where events were lost, since new folders may be unknown', async () => {
    const losses: ((isLost: boolean) => void)[] = [];
    let isBlind = true;
    // What happens while events are lost is heard of by nobody.
    const system: SystemWatches = {
      isRecursive: false,
      open: (path, listener) => {
        const hears = isBlind;
        return systemWatches.open(path, {
          event: (...what) => (hears ? isBlind || listener.event(...what) : listener.event(...what)),
          gone: () => listener.gone(),
          failed: () => listener.failed(),
        });
      },
      onLoss: (listener) => {
        losses.push(listener);
        return () => {};
      },
      read: () => systemWatches.read?.(),
    };
    const watched = await new Watched(tree(scratch(), plain), {}, { system }).begin();
    tree(join(watched.root, 'c'), { n: { m: { x: '1' } } });
    systemWatches.read?.();
    losses[0]!(true);
    expect(watched.watcher.cut().doubts).toEqual(['burst']);
    expect(watched.watcher.cut().doubts).toEqual(['burst']);
    isBlind = false;
    await watched.clock.advance(1500);
    await watched.watcher.settled();
    // What happened before the watches were there was in no cut so far.
    expect(watched.watcher.cut().doubts).toEqual(['burst']);
    expect(watched.watcher.cut().doubts).toEqual([]);
    writeFileSync(join(watched.root, 'c/n/m/y'), '');
    await watched.until(() => watched.folders.has('/c/n/m'));
    expect([...watched.doubts]).toEqual([]);
  });

  test('hold what has happened until then, and doubt while new folders are still being looked at', async () => {
    const fake = new FakeClock();
    let step = 0;
    let slow = 0;
    const clock: Clock = {
      now: () => fake.now(),
      // Each look at a folder takes longer than others should wait.
      monotonic: () => fake.monotonic() + (step += slow),
      sinceBoot: () => fake.sinceBoot(),
      sleep: (ms, signal) => fake.sleep(ms, signal),
      every: (ms, fn) => fake.every(ms, fn),
    };
    const watched = await new Watched(tree(scratch(), plain), {}, { clock }).begin();
    slow = 20;
    writeFileSync(join(watched.root, 'a/b/x'), '');
    tree(join(watched.root, 'c'), { n: { m: { x: '1' } } });
    const cut = watched.watcher.cut();
    expect(cut.folders.map(String)).toEqual(expect.arrayContaining([join(watched.root, 'a/b'), join(watched.root, 'c')]));
    expect(cut.doubts).toContain('not-listed');
    await watched.watcher.settled();
    slow = 0;
    const next = watched.watcher.cut();
    expect(next.folders.map(String)).toContain(join(watched.root, 'c/n/m'));
    expect(next.doubts).not.toContain('not-listed');
  });

  test('tell of a source that another one was put in the place of, however short the time since', async () => {
    const above = tree(scratch(), { p: { source: { a: { x: '1' } } } });
    const watched = await new Watched(join(above, 'p/source')).begin();
    renameSync(join(above, 'p'), join(above, 'q'));
    tree(above, { p: { source: { a: { x: '2' } } } });
    expect(watched.watcher.cut().doubts).toContain('root-changed');
  });

  test('tell of a file that was written through a mapping, once it is closed', async () => {
    const watched = await new Watched(tree(scratch(), plain)).begin();
    const script = "import mmap, sys; f = open(sys.argv[1], 'r+b'); m = mmap.mmap(f.fileno(), 1); f.close(); m[0:1] = b'2'; m.close()";
    execFileSync('python3', ['-c', script, join(watched.root, 'a/f.txt')]);
    expect(watched.watcher.cut().folders.map(String)).toEqual([join(watched.root, 'a')]);
    expect(readFileSync(join(watched.root, 'a/f.txt'), 'utf8')).toBe('2');
  });

  test('doubt after the process was held up, and when the clock is set', async () => {
    let ahead = 0;
    const fake = new FakeClock();
    const clock: Clock = {
      now: () => fake.now(),
      monotonic: () => fake.monotonic() + ahead,
      sinceBoot: () => fake.sinceBoot(),
      sleep: (ms, signal) => fake.sleep(ms, signal),
      every: (ms, fn) => fake.every(ms, fn),
    };
    const watched = await new Watched(tree(scratch(), plain), {}, { clock }).begin();
    await fake.advance(60_000);
    fake.standby(3_600_000);
    await fake.advance(60_000);
    expect([...watched.take().doubts]).toEqual([]);
    ahead = 1500;
    await fake.advance(1000);
    expect([...watched.take().doubts]).toEqual(['stalled']);
    fake.jumpWall(-60_000);
    await fake.advance(60_000);
    expect([...watched.take().doubts]).toEqual(['stalled', 'clock-changed']);
    expect(watched.told).toBe(0);
  });
});

describe('where watching is impossible, a watcher', () => {
  /** Allows so many watches. */
  const limited = (most: () => number): SystemWatches => {
    let open = 0;
    return opening((path, listener) => {
      if (open >= most()) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      open += 1;
      const watch = systemWatches.open(path, listener);
      return {
        close: () => {
          open -= 1;
          watch.close();
        },
      };
    });
  };

  /** Lets the calls of a look end, which are real, and then the next pause. */
  const look = async (watched: Watched): Promise<void> => {
    await systemClock.sleep(30);
    await watched.clock.advance(5 * 60_000);
  };

  test('looks now and then at what is above the limit, says so, and watches it when that is possible again', async () => {
    let most = 3;
    const root = tree(scratch(), { a: { x: '1' }, b: { x: '1' }, c: { x: '1', d: { x: '1' } }, e: { x: '1' } });
    const watched = new Watched(root, {}, { system: limited(() => most) });
    await watched.watcher.ready;
    expect([...watched.take().doubts].sort()).toEqual(['limit', 'restarted']);
    expect(watched.watcher.watched).toBe(3);
    expect(watched.watcher.notes()).toEqual([{ kind: 'limit', watched: 3, polled: 3, limit: expect.any(Number) }]);
    watched.clear();
    await look(watched);
    await look(watched);
    expect(watched.take().found).toEqual([]);
    expect([...watched.doubts]).toEqual(['limit']);
    const { told } = watched;
    for (const folder of ['a', 'b', 'c/d', 'e']) appendFileSync(join(root, folder, 'x'), 'more');
    while (!['/a', '/b', '/c/d', '/e'].every((each) => watched.take().folders.has(each))) await look(watched);
    expect(watched.told).toBeGreaterThan(told);
    most = 100;
    while (watched.watcher.watched < 6) await look(watched);
    expect(watched.watcher.notes()).toEqual([]);
    watched.clear();
    appendFileSync(join(root, 'c/d/x'), 'more');
    await watched.until(() => watched.folders.has('/c/d'));
    watched.clear();
    expect([...watched.take().doubts]).toEqual([]);
  });

  // A user namespace has a limit of its own, so that nobody else on this machine is concerned.
  test.skipIf(!mayUnshare)('meets the real limit of the system without an error', () => {
    const root = tree(scratch(), Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`d${i}`, { x: '1' }])));
    const program = join(import.meta.dirname, '../../support/watching-process.ts');
    const script = 'echo 20 > /proc/sys/user/max_inotify_watches && exec "$@"';
    const out = execFileSync('unshare', ['--user', '--map-root-user', 'sh', '-c', script, 'sh', process.execPath, program, root], {
      encoding: 'utf8',
    });
    expect(JSON.parse(out)).toEqual({
      watched: 20,
      notes: [{ kind: 'limit', watched: 20, polled: 41, limit: expect.any(Number) }],
      doubts: ['restarted', 'limit'],
    });
  });

  test('looks now and then at a network file system, and says so', async () => {
    const root = tree(scratch(), { net: { far: { x: '1' } }, near: { x: '1' }, virtual: { x: '1' } });
    const line = (path: string, type: string): string => `1 2 0:3 / ${path.replaceAll(' ', '\\040')} rw - ${type} server rw`;
    const mounts = ['/ ext4', `${root}/net nfs4`, `${root}/virtual proc`]
      .map((each) => line(...(each.split(' ') as [string, string])))
      .join('\n');
    const watched = new Watched(root, {}, { mounts: () => mounts });
    await watched.watcher.ready;
    expect(watched.watcher.watched).toBe(2);
    expect(watched.watcher.notes()).toEqual([{ kind: 'file-system', path: Buffer.from(`${root}/net`), type: 'nfs4' }]);
    watched.clear();
    await look(watched);
    mkdirSync(join(root, 'net/new'));
    writeFileSync(join(root, 'net/new/y'), '');
    appendFileSync(join(root, 'net/far/x'), 'more');
    writeFileSync(join(root, 'virtual/y'), '');
    while (!['/net', '/net/new', '/net/far'].every((each) => watched.take().folders.has(each))) await look(watched);
    expect(watched.found).toEqual(['/net', '/net/far', '/net/new']);
    expect([...watched.doubts]).toEqual(['polled']);
    watched.clear();
    await look(watched);
    expect(watched.take().found).toEqual([]);
  });
});
