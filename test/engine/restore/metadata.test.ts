import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { backup, makeRepository, restore } from '../../support/engine.ts';
import { factsOf } from '../../support/file-facts.ts';
import { expectSameTree } from '../../support/judge.ts';
import { buildNastyTree } from '../../support/nasty-tree.ts';
import { restoreElsewhere } from '../../support/restoring.ts';
import { file, scratch, sharedScratch, tree } from '../../support/tree-literal.ts';

const dir = sharedScratch('metadata');
const nasty = join(dir, 'nasty');
const folder = join(dir, 'repository');
const path = Buffer.from(nasty);
const nobody = 65534;

beforeAll(async () => {
  await buildNastyTree(nasty, { small: true, farFuture: true });
  // Others must be able to come here.
  chmodSync(dir, 0o755);
});

describe('as root', () => {
  test('a tree of everything is the same in every property, also where it is restored over another one', async () => {
    const repository = await makeRepository(folder);
    await backup(repository, nasty);
    const other = join(dir, 'other');
    await buildNastyTree(other, { small: true, seed: 2 });
    const { problems, own } = await restored(repository, other, { delete: true, verify: true });
    expect(problems).toEqual([]);
    await expectSameTree(nasty, own);
    // Run again, it has nothing to write, and what is right already is not even touched.
    const before = factsOf(own);
    const again = await restore(repository, own, { path, verify: true });
    expect(again.problems).toEqual([]);
    expect(again.figures).toMatchObject({ create: 0, replace: 0, bytes: 0 });
    const files = (facts: ReturnType<typeof factsOf>) => [...facts].filter(([, { kind }]) => kind !== 'folder');
    expect(files(factsOf(own))).toEqual(files(before));
    await expectSameTree(nasty, own);
  });

  test('nothing inherits the access list of a folder that was there before', async () => {
    const repository = await makeRepository(join(dir, 'plain'));
    const plain = tree(join(dir, 'plain source'), {
      'a.txt': 'a',
      'multi.bin': Buffer.alloc(3 << 20, 'abc'),
      'empty.txt': '',
      sub: { 'b.txt': 'b' },
    });
    execFileSync('mkfifo', [join(plain, 'fifo')]);
    await backup(repository, plain);
    const target = scratch('inherits');
    execFileSync('setfacl', ['-d', '-m', 'u:1:rwx,g:2:rx', target]);
    const { problems } = await restore(repository, target, { path: Buffer.from(plain) });
    expect(problems).toEqual([]);
    const acls = execFileSync('getfacl', ['-RsP', '--omit-header', '--absolute-names', plain], { encoding: 'utf8' });
    expect(acls.trim()).toBe('');
    for (const name of readdirSync(target)) {
      const lines = execFileSync('getfacl', ['-Rs', '--omit-header', '--absolute-names', join(target, name)], { encoding: 'utf8' });
      expect(lines.trim(), name).toBe('');
    }
  });

  test('foreign attributes of what is replaced or kept as the same go', async () => {
    const repository = await makeRepository(join(dir, 'plain 2'));
    const plain = tree(join(dir, 'plain source 2'), { 'a.txt': 'a', sub: {} });
    await backup(repository, plain);
    const target = scratch('attributes');
    await restore(repository, target, { path: Buffer.from(plain) });
    for (const name of ['a.txt', 'sub']) execFileSync('setfattr', ['-n', 'user.mine', '-v', '1', join(target, name)]);
    await restore(repository, target, { path: Buffer.from(plain) });
    await expectSameTree(plain, target);
  });
});

async function restored(repository: Awaited<ReturnType<typeof makeRepository>>, target: string, settings: object) {
  // The folder itself belongs to the source: it is restored under its name.
  const whole = join(target, 'own');
  mkdirSync(whole);
  for (const name of readdirSync(target)) if (name !== 'own') execFileSync('mv', [join(target, name), whole]);
  const result = await restore(repository, whole, { path, ...settings });
  chmodSync(whole, lstatSync(nasty).mode & 0o7777);
  execFileSync('touch', ['-r', nasty, whole]);
  return { ...result, own: whole };
}

describe('as anybody else', () => {
  test('everything that this user may set is set, and the owners of others are no problem', async () => {
    const source = join(dir, 'mixed');
    tree(source, {
      'plain.txt': file('plain', { mode: 0o640 }),
      closed: file('closed', { mode: 0o000 }),
      'write only': file('write only', { mode: 0o200 }),
      'read only': { 'inside.txt': file('inside', { mode: 0o444 }), deeper: { 'x.txt': 'x' } },
      'closed folder': { 'inside.txt': 'inside' },
      shared: { 'inside.txt': 'inside' },
      'their program': file('#!/bin/sh', { mode: 0o6755 }),
      'large closed': file(Buffer.from(Array.from({ length: 400_000 }, (_, i) => i * 77).join(' ')), { mode: 0o000 }),
    });
    execFileSync('setfattr', ['-n', 'user.note', '-v', 'kept', join(source, 'read only', 'inside.txt')]);
    chownSync(join(source, 'plain.txt'), 1234, 1234);
    chownSync(join(source, 'shared'), nobody, nobody);
    for (const [name, mode] of [
      ['read only/deeper', 0o555],
      ['read only', 0o555],
      ['closed folder', 0o000],
      ['shared', 0o2775],
    ] as const)
      chmodSync(join(source, name), mode);
    const repository = await makeRepository(join(dir, 'mixed repository'));
    await backup(repository, source);
    const work = scratch('nobody');
    execFileSync('cp', ['-a', join(dir, 'mixed repository'), join(work, 'repository')]);
    execFileSync('chown', ['-R', `${nobody}:${nobody}`, work]);
    const target = join(work, 'target');
    const request = { target, path: source, verify: true };
    for (const round of ['new', 'again', 'after a change']) {
      if (round === 'after a change') {
        // What was lost is put back, also into folders that are closed by now.
        rmSync(join(target, 'read only', 'deeper', 'x.txt'));
        rmSync(join(target, 'closed folder', 'inside.txt'));
        writeFileSync(join(target, 'shared', 'inside.txt'), 'changed');
      }
      const { problems, verified, figures } = await restoreElsewhere(join(work, 'repository'), request, { user: nobody });
      expect(problems, round).toEqual([]);
      expect(verified!.entries, round).toBe(9);
      // A file that even its owner may not read cannot be compared.
      if (round === 'again') expect(figures, round).toMatchObject({ create: 0, replace: 3 });
      const [wanted, found] = [factsOf(source), factsOf(target)];
      expect([...found.keys()], round).toEqual([...wanted.keys()]);
      for (const [name, { kind, content, mode, mtimeNs }] of wanted) {
        // A program of root's must not become one that runs as this user for everybody.
        const allowed = name === 'their program' ? mode & ~0o6000 : mode;
        expect({ name, kind, content, mode: allowed, mtimeNs }, round).toEqual({ name, ...pick(found.get(name)!) });
        expect(lstatSync(join(target, name)).uid).toBe(nobody);
      }
      expect(
        execFileSync('getfattr', ['-n', 'user.note', '--only-values', join(target, 'read only', 'inside.txt')], { encoding: 'utf8' }),
      ).toBe('kept');
    }
  });

  test('deletes what is not in the snapshot from folders that are closed', async () => {
    const source = tree(join(dir, 'mirrored'), { closed: { 'a.txt': 'a' } });
    chmodSync(join(source, 'closed'), 0o555);
    const repository = await makeRepository(join(dir, 'mirror repository'));
    await backup(repository, source);
    const work = scratch('nobody');
    execFileSync('cp', ['-a', join(dir, 'mirror repository'), join(work, 'repository')]);
    const target = tree(join(work, 'target'), { closed: { 'extra.txt': 'x', 'extra folder': { deep: { 'y.txt': 'y' } } } });
    chmodSync(join(target, 'closed', 'extra folder', 'deep'), 0o000);
    chmodSync(join(target, 'closed', 'extra folder'), 0o500);
    chmodSync(join(target, 'closed'), 0o555);
    execFileSync('chown', ['-R', `${nobody}:${nobody}`, work]);
    const { problems } = await restoreElsewhere(join(work, 'repository'), { target, path: source, delete: true }, { user: nobody });
    expect(problems).toEqual([]);
    expect([...factsOf(target).keys()]).toEqual(['closed', 'closed/a.txt']);
  });
});

const pick = ({ kind, content, mode, mtimeNs }: { kind: string; content: string; mode: number; mtimeNs: bigint }) => ({
  kind,
  content,
  mode,
  mtimeNs,
});
