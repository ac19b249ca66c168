import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { failureOf } from '../../support/failure-of.ts';
import { Restic } from '../../support/restic.ts';
import { connectFolder, createPlan, ended, password, repositoryAt, startService } from '../../support/service.ts';
import { tree } from '../../support/tree-literal.ts';

test('a place is tested, and its repository looked into, before it is connected; nothing of it is remembered', async () => {
  const service = await startService();
  const { client, folder } = service;
  const place = join(folder, 'there');
  expect(await client.connections.test({ place: join(folder, 'new') })).toMatchObject({
    verdict: 'missing',
    error: null,
    repository: null,
  });
  mkdirSync(join(folder, 'empty'));
  expect(await client.connections.test({ place: join(folder, 'empty'), create: true })).toMatchObject({ verdict: 'empty' });
  await repositoryAt(place);
  const source = tree(join(folder, 'src'), { a: 'a' });
  const restic = new Restic(place, password);
  await restic.must(['backup', source, '--host', 'old-laptop']);
  await restic.must(['backup', source, '--host', 'old-laptop']);
  const report = await client.connections.test({ place, password });
  expect(report).toMatchObject({ verdict: 'ready', error: null, isAppendOnly: false, repository: { destination: null } });
  expect(report.steps.map(({ step, result }) => `${step} ${result}`)).toContain('password ok');
  const wrong = await client.connections.test({ place, password: 'wrong' });
  expect(wrong).toMatchObject({ verdict: 'unusable', error: { code: 'wrong-password' } });
  const found = await client.connections.look({ place, password });
  expect(found).toMatchObject({
    repository: report.repository!.id,
    snapshots: 2,
    damaged: 0,
    settings: [],
    computers: [{ hostname: 'old-laptop', isOwn: false, snapshots: 2, paths: [source] }],
  });
  expect(await failureOf(client.connections.look({ place, password: 'wrong' }))).toBe('wrong-password');
  expect(await failureOf(client.connections.look({ place: 'relative', password }))).toBe('request-invalid');
  expect((await client.state()).destinations).toEqual([]);
  expect(service.keeper.kept.size).toBe(0);
  await client.destinations.connect({ place, password });
  expect((await client.connections.test({ place, password })).repository?.destination).toBe('there');
});

test('a recovery kit says how to restore; two words of it show that it is saved', async () => {
  const service = await startService();
  const { client, folder } = service;
  const destination = await connectFolder(service);
  const source = tree(join(folder, 'src'), { a: 'a' });
  const plan = await createPlan(service, source, destination);
  await ended(service, (await client.runs.start({ plan: plan.id })).id);
  const kit = await client.kit.make({ destination: destination.id });
  expect(kit).toMatchObject({
    destination: { name: 'repo' },
    kind: 'local',
    place: join(folder, 'repo'),
    repository: destination.repository,
    password: null,
    plans: [{ name: 'Documents', sources: [source] }],
  });
  expect(kit.checkWords).toHaveLength(8);
  expect((await client.kit.make({ destination: destination.id, password })).password).toBe(password);
  expect(await failureOf(client.kit.make({ destination: destination.id, password: 'wrong' }))).toBe('wrong-password');
  const chinese = (await client.kit.make({ destination: destination.id, language: 'zh-CN' })).checkWords;
  const [, restore] = kit.commands.restic;
  const said = restore
    .replace(`restic -r ${join(folder, 'repo')} `, '')
    .replace('--target restored', `--target ${join(folder, 'restored')}`);
  await new Restic(join(folder, 'repo'), password).must(said.split(' '));
  expect(readFileSync(join(folder, 'restored', source, 'a'), 'utf8')).toBe('a');
  expect(await client.kit.saved()).toEqual([{ destination: destination.id, savedAt: null }]);
  expect(await failureOf(client.kit.answer({ destination: destination.id, words: ['a', 'b'] }))).toBe('request-invalid');
  const { numbers } = await client.kit.ask({ destination: destination.id });
  expect(new Set(numbers).size).toBe(2);
  const words = numbers.map((number) => kit.checkWords[number - 1]);
  expect(await client.kit.answer({ destination: destination.id, words: [words[0], 'wrong'] })).toEqual({
    right: [true, false],
    savedAt: null,
  });
  const answered = await client.kit.answer({
    destination: destination.id,
    words: [` ${words[0].toUpperCase()} `, chinese[numbers[1] - 1]],
  });
  expect(answered.right).toEqual([true, true]);
  expect(await client.kit.saved()).toEqual([{ destination: destination.id, savedAt: answered.savedAt }]);
  expect((await client.home.facts()).reasons).toEqual([]);
  expect((await client.home.facts()).state).toBe('fine');
});

test('a password is changed: the new one opens the repository, the old one does not, and backups go on', async () => {
  const service = await startService();
  const { client, folder } = service;
  const destination = await connectFolder(service);
  const plan = await createPlan(service, tree(join(folder, 'src'), { a: 'a' }), destination);
  const change = (old: string, next: string) => client.passwords.change({ destination: destination.id, old, new: next });
  expect(await failureOf(change('wrong', 'new one'))).toBe('wrong-password');
  expect(await change(password, 'new one')).toEqual({ isOldGone: true, otherPasswords: 0 });
  expect(await failureOf(client.connections.look({ place: join(folder, 'repo'), password }))).toBe('wrong-password');
  expect((await ended(service, (await client.runs.start({ plan: plan.id })).id)).status).toBe('succeeded');
  await new Restic(join(folder, 'repo'), 'new one').must(['check']);
});

test('how strong a password is depends on what anybody would try first', async () => {
  const { client } = await startService();
  const score = async (text: string, personal: string[] = []): Promise<number> =>
    (await client.passwords.strength({ password: text, personal })).score;
  expect(await score('password')).toBe(0);
  expect(await score('')).toBe(0);
  expect(await score('correct horse battery staple tungsten')).toBe(4);
  expect(await score('Wolfeschlegel1', ['Wolfeschlegel'])).toBeLessThan(await score('Wolfeschlegel1'));
  const weak = await client.passwords.strength({ password: 'qwerty' });
  expect(weak.warning).toMatch(/^[a-zA-Z]+$/);
  expect(weak.suggestions.length).toBeGreaterThan(0);
  expect((await client.passwords.strength({ password: 'x'.repeat(10_000) })).score).toBeLessThanOrEqual(4);
});

test('diagnostics hold no secret, wherever one was planted, and no place or name of the person', async () => {
  const service = await startService();
  const { client, folder, profile, service: inner } = service;
  const secrets = [
    'hunter2-password',
    'AKIAIOSFODNN7EXAMPLE',
    'wJalrXUtnFEMIsecret',
    'sv=2024&sig=abcDEFsignature',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl',
    'MIIEowIBAAKCAQEAprivate',
    'c2VjcmV0OmJhc2lj',
    'session-cookie-value',
  ];
  const source = tree(join(folder, 'my private folder'), { a: 'a' });
  const destination = await connectFolder(service, 'tax papers');
  const plan = await createPlan(service, source, destination, { name: 'Love letters' });
  const run = await ended(service, (await client.runs.start({ plan: plan.id })).id);
  const lines = [
    `could not reach https://me:${secrets[0]}@example.com/path`,
    `AWS_SECRET_ACCESS_KEY=${secrets[2]} and ${secrets[1]}`,
    `GET https://account.blob.core.windows.net/c?${secrets[3]} gave 403`,
    `token ${secrets[4]}`,
    `-----BEGIN RSA PRIVATE KEY-----\n${secrets[5]}\n-----END RSA PRIVATE KEY-----`,
    `Authorization: Basic ${secrets[6]}`,
    `Cookie: ${secrets[7]}`,
    `${source}/a diary.txt: it could not be read`,
    `{"password":"${secrets[0]}","repositoryPassword": "${secrets[0]}"} password=${secrets[0]}, HOLDFAST_PASSWORD: ${secrets[0]}`,
  ];
  for (const text of lines) inner.state.runs.log(run.id, { at: 1, level: 'error', text });
  mkdirSync(join(profile.folder, 'logs'), { recursive: true });
  writeFileSync(join(profile.folder, 'logs/service.log'), lines.join('\n'), { flag: 'a' });
  for (const format of ['text', 'zip'] as const) {
    const file = await client.diagnostics.make({ format });
    let text = Buffer.from(file.base64, 'base64').toString('utf8');
    if (format === 'zip') {
      const path = join(folder, file.name);
      writeFileSync(path, Buffer.from(file.base64, 'base64'));
      execFileSync('unzip', ['-q', '-t', path]);
      text = execFileSync('unzip', ['-p', path], { encoding: 'utf8' });
      rmSync(path);
    }
    for (const secret of [...secrets, password, 'Love letters', 'my private folder', 'tax papers', 'a diary'])
      expect(text).not.toContain(secret);
    expect(text).toContain('could not reach https://***@example.com');
    expect(text).toContain('"status": "succeeded"');
    expect(text).toContain(process.versions.node);
  }
});
