import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readUserNames, systemUserNames } from '../../src/platform/users.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'users-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function names(passwd: string, group = '') {
  const [passwdFile, groupFile] = [join(folder, 'passwd'), join(folder, 'group')];
  writeFileSync(passwdFile, passwd);
  writeFileSync(groupFile, group);
  return readUserNames(passwdFile, groupFile);
}

describe('names of users and groups', () => {
  it('are those that Python reads from the same files', () => {
    const script =
      'import pwd,grp,json; print(json.dumps([[[p.pw_uid,p.pw_name] for p in pwd.getpwall()],[[g.gr_gid,g.gr_name] for g in grp.getgrall()]]))';
    const [users, groups] = JSON.parse(execFileSync('python3', ['-c', script], { encoding: 'utf8' })) as [number, string][][];
    const system = systemUserNames();
    expect(system.userName(0)).toBe('root');
    for (const [uid, name] of users as [number, string][]) expect([system.userName(uid), system.userId(name)]).toEqual([name, uid]);
    for (const [gid, name] of groups as [number, string][]) expect([system.groupName(gid), system.groupId(name)]).toEqual([name, gid]);
    expect(systemUserNames()).toBe(system);
  });

  it('are empty for what is missing', () => {
    const none = readUserNames(join(folder, 'none'), join(folder, 'none'));
    expect([none.userName(0), none.groupName(0)]).toEqual(['', '']);
    expect([none.userId('root'), none.groupId('root'), none.userId('__proto__')]).toEqual([undefined, undefined, undefined]);
  });

  it('come from the first of several lines', () => {
    const n = names('toor:x:0:0::/:/sh\nroot:x:0:0::/:/sh\ntoor:x:7:7::/:/sh\n');
    expect([n.userName(0), n.userId('root'), n.userId('toor')]).toEqual(['toor', 0, 0]);
  });

  it('ignore blank lines, comments, NIS lines and lines that are broken', () => {
    const n = names(
      '\n# a:x:1:1::/:/sh\n+nis:x:2:2::/:/sh\n-nis:x:2:2::/:/sh\n:x:3:3::/:/sh\nshort:x:4:4:\nbad:x:five:5::/:/sh\nbad:x:6:six::/:/sh\n  good:x:7:7:::\n',
      'short:x:1\nwheel:x:10:root,a:b\n+:::\n',
    );
    for (const uid of [1, 2, 3, 4, 5, 6]) expect(n.userName(uid)).toBe('');
    expect([n.userName(7), n.groupName(1), n.groupName(10)]).toEqual(['good', '', 'wheel']);
  });

  it('know numbers as large as the kernel does', () => {
    expect(names('nobody:x:4294967294:4294967294::/:/sh').userName(4_294_967_294)).toBe('nobody');
  });
});
