import { execFileSync } from 'node:child_process';
import { appendFileSync, linkSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { compileExcludes, type ExcludeOptions } from '../../../src/engine/backup/exclude.ts';
import { ResidentIndex } from '../../../src/engine/index/resident-index.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { PlanJournal } from '../../../src/service/watch/journal.ts';
import { JournalDefects } from '../../../src/service/watch/journal-defects.ts';
import { JournalOfRun } from '../../../src/service/watch/run-journal.ts';
import { SourceWatcher, type SourceWatcherOptions } from '../../../src/service/watch/source-watcher.ts';
import { type SystemWatches, systemWatches } from '../../../src/service/watch/system-watches.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import { canMountDisks } from '../../support/disk.ts';
import { disturb } from '../../support/disturb.ts';
import { backup, type BackupSettings, makeRepository, resticOn } from '../../support/engine.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { expectSnapshotRestores } from '../../support/judge.ts';
import { seededRandom } from '../../support/seeded.ts';
import { nodesAt } from '../../support/snapshot-tree.ts';
import { scratch, tree } from '../../support/tree-literal.ts';

type Made = Awaited<ReturnType<typeof backup>>;

/** A plan that is watched, and its runs. */
class Journaled {
  readonly sources: readonly string[];
  readonly clock = new FakeClock();
  readonly kept = new Map<string, unknown>();
  readonly defects: JournalDefects;
  readonly told: string[] = [];
  readonly exclude: ExcludeOptions;
  readonly whole: Buffer[] = [];
  watcher!: SourceWatcher;
  journal!: PlanJournal;
  given = 0;
  #run = 0;
  readonly #repositories = new Map<string, { repository: Repository; resident: ResidentIndex }>();
  readonly #options: Partial<SourceWatcherOptions>;

  constructor(sources: string | readonly string[], options: Partial<SourceWatcherOptions> = {}, exclude: ExcludeOptions = {}) {
    this.sources = typeof sources === 'string' ? [sources] : sources;
    this.exclude = exclude;
    this.#options = options;
    const state = {
      recall: (name: string) => this.kept.get(name),
      remember: (name: string, value: unknown) => void this.kept.set(name, value),
      forget: (name: string) => void this.kept.delete(name),
    };
    this.defects = new JournalDefects(state, this.clock);
    onTestFinished(() => this.watcher.close());
  }

  /** As a service that is started: what is excluded by then counts. */
  async start(exclude: ExcludeOptions = this.exclude): Promise<this> {
    this.journal = new PlanJournal(this.clock);
    this.watcher = new SourceWatcher({
      clock: this.clock,
      sources: this.sources.map((path) => Buffer.from(path)),
      rules: compileExcludes(exclude),
      onChange: () => {},
      ...this.#options,
    });
    await this.watcher.ready;
    return this;
  }

  async repository(destination = 'one'): Promise<Repository> {
    const known = this.#repositories.get(destination);
    if (known) return known.repository;
    const repository = await makeRepository(new MemoryStorage());
    this.#repositories.set(destination, { repository, resident: new ResidentIndex() });
    return repository;
  }

  take(destination = 'one'): JournalOfRun {
    const [plan, run] = ['plan', ++this.#run];
    const taken = this.journal.take(destination, this.watcher.cut(), this.defects.of(plan) !== undefined);
    const onGivenBack = (): void => void (this.given += 1);
    return new JournalOfRun({ run, plan, watcher: this.watcher, taken, defects: this.defects, whole: this.whole, onGivenBack });
  }

  /** A run, and what was given as the reason for looking at everything; `partial` when it did not. */
  async run(
    destination = 'one',
    settings: BackupSettings = {},
    meanwhile: () => void = () => {},
  ): Promise<{ made: Made; because: string }> {
    const repository = await this.repository(destination);
    const { resident } = this.#repositories.get(destination)!;
    const journal = this.take(destination);
    meanwhile();
    const { changed } = journal;
    const made = await backup(repository, this.sources, { exclude: this.exclude, changed, resident, ...settings });
    await journal.done(made, (_, text) => void this.told.push(text));
    const { isPartial, because } = made.scanned.scan;
    return { made, because: isPartial ? 'partial' : (because ?? journal.because ?? '') };
  }

  /** A run whose snapshot is the source, as one that trusts nothing stores it; returns as {@link run} does, but only the reason. */
  async round(destination = 'one', settings: BackupSettings = {}): Promise<string> {
    const { made, because } = await this.run(destination, settings);
    const repository = await this.repository(destination);
    // Another host's snapshots are of another line.
    const full = await backup(repository, this.sources, { exclude: this.exclude, ...settings, strategy: 'full', hostname: 'judge' });
    for (const source of this.sources) {
      const [mine, judge] = await nodesAt(repository, source, [made.snapshot, full.snapshot]);
      expect(mine).toBe(judge);
    }
    expect(made.summary.total_files_processed).toBe(full.summary.total_files_processed);
    expect(made.summary.total_bytes_processed).toBe(full.summary.total_bytes_processed);
    return because;
  }

  /** The reasons for which rounds looked at everything until one did not; what shook the watcher settles meanwhile. */
  async calm(destination = 'one'): Promise<string[]> {
    const reasons: string[] = [];
    for (let because = ''; because !== 'partial'; ) {
      await this.clock.advance(1500);
      await this.watcher.settled();
      because = await this.round(destination);
      if (because !== 'partial') reasons.push(because);
    }
    return reasons;
  }
}

const plain = { a: { 'f.txt': '1', b: { 'g.txt': '22', e: { x: '333' } } }, c: { 'h.txt': '4444' }, d: { i: { 'j.txt': '5' } }, top: '6' };

describe('a run that goes by the journal', () => {
  let source: string;
  beforeEach(() => {
    source = tree(scratch(), plain);
  });

  test('looks at everything first, then at what changed alone', async () => {
    const plan = await new Journaled(source).start();
    expect(await plan.round()).toBe('restarted');
    appendFileSync(join(source, 'a/b/g.txt'), 'more');
    const { made, because } = await plan.run();
    expect([because, made.scanned.scan.foldersVisited]).toEqual(['partial', 1]);
    expect(await plan.round()).toBe('partial');
    expect(await plan.round('two')).toBe('first');
    await plan.start();
    expect(await plan.round()).toBe('restarted');
  });

  test.each<[string, (source: string) => void]>([
    ['a folder is moved with changes inside', (s) => (appendFileSync(join(s, 'a/b/e/x'), '1'), renameSync(join(s, 'a'), join(s, 'c/a')))],
    [
      'a parent is renamed, then something in it changes',
      (s) => (renameSync(join(s, 'a'), join(s, 'z')), writeFileSync(join(s, 'z/b/e/n'), '1')),
    ],
    [
      'folders swap their names',
      (s) => (renameSync(join(s, 'a'), join(s, 't')), renameSync(join(s, 'd'), join(s, 'a')), renameSync(join(s, 't'), join(s, 'd'))),
    ],
    [
      'a folder is moved out, changed there, and moved in again',
      (s) => {
        const outside = scratch();
        renameSync(join(s, 'a'), join(outside, 'a'));
        appendFileSync(join(outside, 'a/b/e/x'), 'more');
        renameSync(join(outside, 'a'), join(s, 'a'));
      },
    ],
    [
      'a file is replaced by another of the same size and time',
      (s) => {
        const { mtime, atime } = statSync(join(s, 'top'));
        writeFileSync(join(s, 'new'), '7');
        utimesSync(join(s, 'new'), atime, mtime);
        renameSync(join(s, 'new'), join(s, 'top'));
      },
    ],
    [
      'a file is written through a mapping',
      (s) => {
        const script = "import mmap, sys; f = open(sys.argv[1], 'r+b'); m = mmap.mmap(f.fileno(), 1); f.close(); m[0:1] = b'2'; m.close()";
        execFileSync('python3', ['-c', script, join(s, 'a/f.txt')]);
      },
    ],
    [
      'a folder becomes a file, and a file a folder',
      (s) => {
        rmSync(join(s, 'a'), { recursive: true });
        writeFileSync(join(s, 'a'), 'a file');
        rmSync(join(s, 'top'));
        tree(join(s, 'top'), { in: { x: '1' } });
      },
    ],
    ['a deep tree appears at once', (s) => void mkdirSync(join(s, 'n/e/w/e/r/s/t'), { recursive: true })],
  ])('stores the source when %s', async (_, change) => {
    const plan = await new Journaled(source).start();
    await plan.round();
    change(source);
    expect(await plan.round()).toBe('partial');
    expect(await plan.round()).toBe('partial');
  });

  test('stores what changed through another name of a file, also outside of the source', async () => {
    const outside = join(scratch(), 'other');
    linkSync(join(source, 'd/i/j.txt'), outside);
    const plan = await new Journaled(source).start();
    await plan.round();
    appendFileSync(outside, 'more');
    expect(await plan.round()).toBe('partial');
    linkSync(join(source, 'top'), join(source, 'a/b/e/link'));
    expect(await plan.round()).toBe('hard-links');
    appendFileSync(join(source, 'a/b/e/link'), 'more');
    expect(await plan.round()).toBe('partial');
    rmSync(join(source, 'top'));
    expect(await plan.round()).toBe('partial');
  });

  test('stores what is no longer excluded, and the times of folders in which excluded files came and went', async () => {
    const plan = await new Journaled(source, {}, { patterns: ['*.tmp'] }).start();
    await plan.round();
    writeFileSync(join(source, 'd/i/x.tmp'), 'left out');
    expect(await plan.round()).toBe('partial');
    await plan.start({});
    expect(await plan.round('one', { exclude: {} })).toBe('restarted');
  });

  test('looks each time at what is stored but not watched', async () => {
    const plan = await new Journaled(source).start({ patterns: ['/d', join(source, 'd')] });
    plan.whole.push(Buffer.from(join(source, 'd')));
    await plan.round();
    appendFileSync(join(source, 'd/i/j.txt'), 'more');
    expect(await plan.round()).toBe('partial');
  });

  test('of several sources, one of them a link, notices storms in two', async () => {
    const other = tree(scratch(), plain);
    const link = join(scratch(), 'link');
    symlinkSync(source, link);
    const plan = await new Journaled([link, other, join(source, 'a')].sort()).start();
    await plan.round();
    for (let i = 0; i < 500; i++)
      for (const each of [join(source, 'a/b'), join(other, 'c')]) {
        writeFileSync(join(each, `f${i % 50}`), `${i}`);
        renameSync(join(each, `f${i % 50}`), join(each, `g${i % 40}`));
      }
    expect(await plan.round()).toBe('partial');
    rmSync(link);
    symlinkSync(other, link);
    await plan.round();
    expect(await plan.calm()).not.toContain('missed');
  });

  test('is one of everything after 30,000 files were made at once, and is not for long', async () => {
    const plan = await new Journaled(source).start();
    await plan.round();
    for (let i = 0; i < 300; i++) mkdirSync(join(source, `burst${i}`));
    expect(await plan.round()).toBe('partial');
    for (let i = 0; i < 30_000; i++) writeFileSync(join(source, `burst${i % 300}`, `${i}`), '');
    expect(await plan.round()).toBe('burst');
    expect((await plan.calm()).every((because) => because === 'burst')).toBe(true);
    appendFileSync(join(source, 'burst299/299'), 'more');
    appendFileSync(join(source, 'burst0/0'), 'more');
    expect(await plan.round()).toBe('partial');
  });

  test('is one of everything as long as not all folders can be watched', async () => {
    tree(source, Object.fromEntries(Array.from({ length: 1100 }, (_, i) => [`n${i}`, { x: '1' }])));
    let open = 0;
    let most = 1000;
    const system: SystemWatches = {
      isRecursive: false,
      open: (path, listener) => {
        if (open >= most) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
        const watch = systemWatches.open(path, listener);
        open += 1;
        return {
          close: () => {
            open -= 1;
            watch.close();
          },
        };
      },
      onLoss: (listener) => systemWatches.onLoss(listener),
      read: () => systemWatches.read?.(),
    };
    const plan = await new Journaled(source, { system }).start();
    await plan.round();
    for (let i = 0; i < 1100; i += 100) appendFileSync(join(source, `n${i}/x`), 'more');
    expect(await plan.round()).toBe('limit');
    most = 2000;
    const reasons: string[] = [];
    for (let because = ''; because !== 'partial'; reasons.push(because)) {
      await plan.clock.advance(10 * 60_000);
      await plan.watcher.settled();
      because = await plan.round();
    }
    expect(new Set(reasons)).toEqual(new Set(['limit', 'partial']));
    for (let i = 0; i < 1100; i += 100) appendFileSync(join(source, `n${i}/x`), 'more');
    expect(await plan.round()).toBe('partial');
  });

  test.skipIf(!canMountDisks)('notices what is mounted in a source or over it, and changes behind a bind mount', async () => {
    // Whichever is seen first: that the mounts are others, or that the folder is.
    const anotherRoot = /^(mount|root)-changed$/u;
    const elsewhere = tree(scratch(), plain);
    const mounts = [join(source, 'c'), source];
    const plan = await new Journaled(source).start();
    onTestFinished(() => {
      for (const path of mounts) execFileSync('sh', ['-c', 'while mountpoint -q "$0"; do umount -l "$0"; done', path]);
    });
    await plan.round();
    execFileSync('mount', ['--bind', elsewhere, join(source, 'c')]);
    expect(await plan.round()).toMatch(anotherRoot);
    await plan.calm();
    appendFileSync(join(elsewhere, 'a/b/e/x'), 'behind');
    expect(await plan.round()).toBe('partial');
    execFileSync('umount', [join(source, 'c')]);
    expect(await plan.round()).toMatch(anotherRoot);
    await plan.calm();
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', source]);
    tree(source, { other: { x: '1' } });
    expect(await plan.round()).toMatch(anotherRoot);
    await plan.calm();
    writeFileSync(join(source, 'other/y'), '2');
    expect(await plan.round()).toBe('partial');
    execFileSync('umount', [source]);
    expect(await plan.round()).toMatch(anotherRoot);
  });

  test('leaves what changed while it worked to the next, and what a failed one had to the one after it, on each destination', async () => {
    const plan = await new Journaled(source).start();
    await plan.round('one');
    await plan.round('two');
    appendFileSync(join(source, 'top'), '1');
    const failing = plan.take('one');
    appendFileSync(join(source, 'c/h.txt'), '2');
    failing.failed();
    expect(plan.given).toBe(1);
    await plan.run('one', {}, () => appendFileSync(join(source, 'd/i/j.txt'), '3'));
    expect(await plan.round('one')).toBe('partial');
    appendFileSync(join(source, 'a/f.txt'), '4');
    expect(await plan.round('two')).toBe('partial');
    expect(await plan.round('one')).toBe('partial');
  });

  test('trusts no journal that began from another snapshot, and none when it is full or differential', async () => {
    const plan = await new Journaled(source).start();
    await plan.round();
    const strange = await backup(await plan.repository(), source);
    expect(strange.scanned.scan.isPartial).toBe(false);
    expect(await plan.round()).toBe('other-parent');
    expect(await plan.round('one', { strategy: 'differential' })).toBe('strategy');
    expect(await plan.round('one', { strategy: 'full' })).toBe('strategy');
    expect(await plan.round()).toBe('partial');
  });

  test('is one of everything each day; what it finds that was missed is noted, and trusted is nothing for a week', async () => {
    let isDeaf = false;
    const system: SystemWatches = {
      isRecursive: false,
      onLoss: (listener) => systemWatches.onLoss(listener),
      read: () => systemWatches.read?.(),
      open: (path, listener) =>
        systemWatches.open(path, {
          event: (...what) => isDeaf || listener.event(...what),
          gone: () => listener.gone(),
          failed: () => listener.failed(),
        }),
    };
    const plan = await new Journaled(source, { system }).start();
    await plan.round();
    plan.clock.standby(25 * 60 * 60_000);
    appendFileSync(join(source, 'top'), 'told');
    // What changes meanwhile was not missed either.
    const { because } = await plan.run('one', {}, () => appendFileSync(join(source, 'c/h.txt'), 'meanwhile'));
    expect([because, plan.told]).toEqual(['daily', []]);
    expect(await plan.round()).toBe('partial');
    plan.watcher.cut();
    isDeaf = true;
    appendFileSync(join(source, 'd/i/j.txt'), 'unheard');
    systemWatches.read?.();
    isDeaf = false;
    plan.clock.standby(25 * 60 * 60_000);
    expect(await plan.round()).toBe('daily');
    expect(plan.told).toEqual([expect.stringContaining(`Changes in a folder had not been noticed before: ${join(source, 'd/i')}.`)]);
    expect(plan.defects.of('plan')).toMatchObject({ count: 1, folders: [join(source, 'd/i')] });
    expect(await plan.round()).toBe('missed');
    plan.clock.standby(8 * 24 * 60 * 60_000);
    expect(await plan.round()).toBe('missed');
    expect(plan.told).toHaveLength(2);
    expect(await plan.round()).toBe('partial');
  });
});

test.each([1, 2, 3])('whatever happens between and during runs, each stores the source (seed %i)', async (seed) => {
  const random = seededRandom(seed);
  const source = tree(scratch(), plain);
  const plan = await new Journaled(source).start();
  let partial = 0;
  for (let round = 0; round < 12; round++) {
    const things = (what: string): void => {
      for (let i = Math.ceil(random() * 10); i > 0; i--) disturb(source, random, `${round}${what}${i}`);
    };
    const destination = random() < 0.7 ? 'one' : 'two';
    things('a');
    if (random() < 0.3) {
      const failing = plan.take(destination);
      things('b');
      failing.failed();
    }
    if (random() < 0.3) await plan.run(destination, {}, () => things('c'));
    if ((await plan.round(destination)) === 'partial') partial += 1;
  }
  expect(partial).toBeGreaterThan(8);
});

test('a snapshot of a partial run is restored by restic as the source is', async () => {
  const source = tree(scratch(), plain);
  const place = scratch();
  const repository = await makeRepository(place);
  const plan = await new Journaled(source).start();
  const run = async (): Promise<Made> => {
    const journal = plan.take();
    const made = await backup(repository, source, { changed: journal.changed });
    await journal.done(made, () => {});
    return made;
  };
  await run();
  appendFileSync(join(source, 'a/b/e/x'), 'more');
  renameSync(join(source, 'd'), join(source, 'c/d'));
  const made = await run();
  expect(made.scanned.scan.isPartial).toBe(true);
  await expectSnapshotRestores(resticOn(place), made.snapshot, source);
});
