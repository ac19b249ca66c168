/** What the tests of the verbs begin with and look at. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Cli, quickRepository } from './cli.ts';
import { jsonLines, Restic } from './restic.ts';
import { scratch } from './tree-literal.ts';

/** A repository beside an empty place for sources. */
export async function ready(): Promise<{ folder: string; src: string; cli: Cli; restic: Restic }> {
  const folder = scratch();
  const cli = await quickRepository(join(folder, 'repo'));
  return { folder, src: join(folder, 'src'), cli, restic: new Restic(cli.repository, cli.password) };
}

export const summaryOf = (stdout: string): Record<string, unknown> => jsonLines(stdout).find(({ type }) => type === 'summary')!;

/** Every line is an object with a type. */
export function expectJson(stdout: string): void {
  for (const line of stdout.trimEnd().split('\n')) expect(typeof (JSON.parse(line) as { type: unknown }).type).toBe('string');
}
