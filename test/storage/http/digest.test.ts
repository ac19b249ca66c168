import { expect, test } from 'vitest';
import { readChallenges } from '../../../src/storage/http/challenges.ts';
import { bestDigest, DigestNonce } from '../../../src/storage/http/digest.ts';

/** The header for a challenge, with a nonce of the client that is known. */
function answerTo(challenge: string, username: string, password: string, path: string, cnonce: string): string {
  const best = bestDigest(readChallenges(challenge))!;
  const nonce = best.challenge.parameters.get('nonce')!;
  return new DigestNonce(best.challenge, best.hashName, { username, password }, nonce, cnonce).authorization('GET', path);
}

const mufasa = ['Mufasa', 'Circle of Life', '/dir/index.html', 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ'] as const;
const common =
  'realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';

test('the examples of RFC 7616 come out, and the best of several algorithms is taken', () => {
  const [md5, sha256] = [`Digest ${common}, algorithm=MD5`, `Digest ${common}, algorithm=SHA-256`];
  expect(answerTo(md5, ...mufasa)).toContain('response="8ca523f5e9506fed4657c9700eebdbec"');
  expect(answerTo(`${md5}, ${sha256}, Basic realm="x"`, ...mufasa)).toBe(
    'Digest username="Mufasa", realm="http-auth@example.org", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", uri="/dir/index.html", algorithm=SHA-256, qop=auth, nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
  );
});

test('the example with a hidden name comes out as its erratum 4897 corrects it', () => {
  const challenge =
    'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true';
  const given = answerTo(challenge, 'J\u00e4s\u00f8n Doe', 'Secret, or not?', '/doe.json', 'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v');
  expect(given).toContain('username="793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"');
  expect(given).toContain('response="3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"');
  expect(given).toContain('userhash=true');
});

test('the example of RFC 2617 comes out, with and without qop', () => {
  const without =
    'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"';
  const given = ['Mufasa', 'Circle Of Life', '/dir/index.html', '0a4f113b'] as const;
  expect(answerTo(`${without}, qop="auth,auth-int"`, ...given)).toContain('response="6629fae49393a05397450978507c4ef1"');
  const old = answerTo(without, ...given);
  expect(old).toContain('response="670fd8c2df070c60b045671b8b24ff02"');
  expect(old).not.toMatch(/qop|nc=|cnonce|algorithm/);
});

test('a name beyond ASCII is sent as the server can read it, and signs in it are escaped', () => {
  const plain = 'Digest realm="a \\"b\\"", nonce="n", qop=auth';
  const given = answerTo(plain, 'J\u00e4"n\\', 'pw', '/', 'c');
  expect(given).toContain(`username="${Buffer.from('Jä\\"n\\\\', 'utf8').toString('latin1')}"`);
  expect(given).toContain('realm="a \\"b\\""');
  expect(answerTo(`${plain}, charset=UTF-8`, "J\u00e4s's", 'pw', '/', 'c')).toContain("username*=UTF-8''J%C3%A4s%27s");
});

test('what cannot be met is no digest', () => {
  const best = (header: string): unknown => bestDigest(readChallenges(header));
  expect(best('Digest realm="x", nonce="n", qop="auth-int"')).toBeUndefined();
  expect(best('Digest realm="x", nonce="n", algorithm=ROT13')).toBeUndefined();
  expect(best('Digest realm="x"')).toBeUndefined();
  expect(best('Basic realm="x"')).toBeUndefined();
});
