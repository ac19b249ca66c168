/** A place on a server that Holdfast and restic both work on, each judged by the other. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Cli, quickKeyAt, quickRepositoryAt } from './cli.ts';
import { expectJson, summaryOf } from './cli-ready.ts';
import { expectSameTree } from './judge.ts';
import { watchArguments } from './process-list.ts';
import { Restic } from './restic.ts';
import { scratch, tree } from './tree-literal.ts';

export interface SharedPlace {
  /** A new place at each call; nothing is there yet, not even the bucket. */
  readonly newPlace: () => string;
  /** What restic calls it, where that is something else. */
  readonly resticPlace?: ((place: string) => string) | undefined;
  /** What opens it, for both programs. */
  readonly env: Readonly<Record<string, string>>;
  /** What must not be shown by any run. */
  readonly secrets: readonly string[];
}

const password = 'correct horse';

/** Runs of both programs on one place, whose words are kept. */
class Both {
  readonly cli: Cli;
  readonly #restic: Restic;
  readonly #env: Readonly<Record<string, string>>;
  /** And the arguments of all processes that were at work. */
  readonly said: string[] = [];

  constructor(place: string, { env, resticPlace = (same) => same }: Pick<SharedPlace, 'env' | 'resticPlace'>) {
    this.cli = new Cli(place, password);
    this.#restic = new Restic(resticPlace(place), password);
    this.#env = env;
  }

  async holdfast(...args: string[]): Promise<string> {
    let end = (): string[] => [];
    const onStart = (pid: number): void => void (end = watchArguments(pid));
    try {
      const { stdout, stderr } = await this.cli.must(args, { env: this.#env, onStart });
      this.said.push(stdout, stderr);
      return stdout;
    } finally {
      const seen = end();
      expect(seen.join('\n')).toContain(args[0]);
      this.said.push(...seen);
    }
  }

  async restic(...args: string[]): Promise<string> {
    const { stdout, stderr } = await this.#restic.must(args, { env: this.#env });
    return stdout + stderr;
  }

  async expectClean(): Promise<void> {
    expect(await this.restic('check', '--read-data')).toContain('no errors were found');
    expect(await this.holdfast('check', '--read-data')).toContain('read and proved');
  }
}

/** A repository that restic has made: both back up, both check, and each restores what the other has stored. */
export async function expectBothOnResticsRepository({ newPlace, secrets, ...rest }: SharedPlace): Promise<void> {
  const place = newPlace();
  const both = new Both(place, rest);
  const folder = scratch();
  const src = tree(join(folder, 'src'), { a: randomBytes(3_000_000), b: { c: 'hello', d: randomBytes(100_000) } });
  await both.restic('init', '--repository-version', '2');
  // Opens it with restic's own key first; each of the runs would be half a second longer with it.
  await quickKeyAt(place, rest.env, password);
  await both.holdfast('backup', src);
  // With a path restic leaves the properties of the target folder itself as they are.
  await both.restic('restore', 'latest', '--quiet', '--target', join(folder, 'by-restic'));
  await expectSameTree(src, join(folder, 'by-restic', src));
  writeFileSync(join(src, 'e'), randomBytes(300_000));
  await both.restic('backup', '--quiet', src);
  await both.holdfast('restore', `latest:${src}`, '--target', join(folder, 'by-holdfast'), '--verify');
  await expectSameTree(src, join(folder, 'by-holdfast'));
  await both.expectClean();
  expect(await both.holdfast('snapshots')).toContain('2 snapshots');
  for (const text of both.said) for (const secret of secrets) expect(text).not.toContain(secret);
}

/** A repository that Holdfast has made, at first even the bucket: every verb, and restic agrees. */
export async function expectBothOnHoldfastsRepository({ newPlace, secrets, ...rest }: SharedPlace): Promise<void> {
  const place = newPlace();
  const { env } = rest;
  const both = new Both(place, rest);
  const missing = await both.cli.run(['snapshots'], { env });
  expect({ code: missing.code, words: missing.stderr }).toMatchObject({ code: 10, words: expect.stringContaining('holdfast init') });
  await quickRepositoryAt(place, env, password);
  expect((await both.cli.run(['init'], { env })).stderr).toContain('already holds');
  const folder = scratch();
  const src = tree(join(folder, 'src'), { a: randomBytes(3_000_000), b: { c: 'hello', d: randomBytes(100_000) } });
  const first = summaryOf(await both.holdfast('--json', 'backup', src)).snapshot as string;
  writeFileSync(join(src, 'a'), randomBytes(3_000_000));
  await both.holdfast('backup', src);
  expect(await both.holdfast('dump', `latest:${src}/b/c`)).toBe('hello');
  await both.restic('backup', '--quiet', src);
  expectJson(await both.holdfast('--json', 'forget', first));
  await both.holdfast('prune', '--max-unused', '0');
  await both.holdfast('unlock');
  expect(await both.holdfast('test-connection')).toContain('The connection works.');
  await both.expectClean();
  await both.restic('prune', '--max-unused', '0');
  await both.expectClean();
  for (const text of both.said) for (const secret of secrets) expect(text).not.toContain(secret);
}
