import { describe, expect, test } from 'vitest';
import { HoldfastError } from '../../../src/contract/errors.ts';
import { kindOf } from '../../../src/storage/place.ts';
import { parseSftpPlace } from '../../../src/storage/sftp/place.ts';

const parse = (place: string): ReturnType<typeof parseSftpPlace> => parseSftpPlace(kindOf(place)!.address);

/** What restic makes of the same, by its own tests (internal/backend/sftp/config_test.go). */
describe('an SFTP address', () => {
  test.each([
    ['sftp://user@host/dir/subdir', 'user', 'host', undefined, 'dir/subdir'],
    ['sftp://host/dir/subdir', undefined, 'host', undefined, 'dir/subdir'],
    ['sftp://host//dir/subdir', undefined, 'host', undefined, '/dir/subdir'],
    ['sftp://host:10022//dir/subdir', undefined, 'host', 10022, '/dir/subdir'],
    ['sftp://user@host:10022//dir/subdir', 'user', 'host', 10022, '/dir/subdir'],
    ['sftp://user@host/dir/subdir/../other', 'user', 'host', undefined, 'dir/other'],
    ['sftp://user@host/dir///subdir', 'user', 'host', undefined, 'dir/subdir'],
    ['sftp://[::1]/dir', undefined, '::1', undefined, 'dir'],
    ['sftp://user@[::1]:22//dir', 'user', '::1', 22, '/dir'],
    ['sftp://user%40domain@host/dir', 'user@domain', 'host', undefined, 'dir'],
    ['sftp://me@host/a%20b%C3%A4', 'me', 'host', undefined, 'a bä'],
    ['sftp://me@host/', 'me', 'host', undefined, '.'],
    ['sftp://me@host//', 'me', 'host', undefined, '/'],
    ['sftp:user@host:/dir/subdir', 'user', 'host', undefined, '/dir/subdir'],
    ['sftp:user@domain@host:/dir/subdir', 'user@domain', 'host', undefined, '/dir/subdir'],
    ['sftp:host:../dir/subdir', undefined, 'host', undefined, '../dir/subdir'],
    ['sftp:user@host:dir/subdir:suffix', 'user', 'host', undefined, 'dir/subdir:suffix'],
    ['sftp:user@host:dir/./subdir/', 'user', 'host', undefined, 'dir/subdir'],
    ['sftp:user@host:', 'user', 'host', undefined, '.'],
    ['sftp:user@HOST.Example:/dir', 'user', 'host.example', undefined, '/dir'],
    ['sftp:me@[fe80::1]:/dir', 'me', 'fe80::1', undefined, '/dir'],
  ])('%s', (place, username, host, port, folder) => {
    const parsed = parse(place);
    expect(parsed).toMatchObject({ username, host, port, folder });
    // What is shown can be given again.
    expect(parse(parsed.location)).toMatchObject({ username, host, port, folder });
  });

  test.each([
    'sftp:',
    'sftp://',
    'sftp:host',
    'sftp:user@host',
    'sftp::/dir',
    'sftp:user@:/dir',
    'sftp://host',
    'sftp://user@host:0/dir',
    'sftp://user@host:99999/dir',
    'sftp://user@host:port/dir',
    'sftp:user@host:~/dir',
    'sftp://user@host/~/dir',
    'sftp://me:geheim@host/dir?x',
    'sftp://me:geheim@host/dir#x',
    'sftp://me:geheim@host/%zz',
    'sftp://me:gehei%m@host/dir',
    'sftp:me:geheim@host:/dir',
    'sftp:a b@ho st:/dir',
  ])('%s is refused, and nothing secret is shown', (place) => {
    let error: unknown;
    try {
      parse(place);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(HoldfastError);
    expect(error).toMatchObject({ code: 'bad-usage' });
    expect(JSON.stringify(error)).not.toContain('gehei');
  });

  test('with a password shows it nowhere', () => {
    const parsed = parse('sftp://me:gehe%2Fim@host:2022//dir');
    expect(parsed).toMatchObject({ password: 'gehe/im', location: 'sftp://me@host:2022//dir' });
  });
});
