import { expect, test } from 'vitest';
import { parseListen, serveWords } from '../../src/cli/serve-options.ts';

test.each([
  ['192.168.1.5', '192.168.1.5', 4711],
  ['192.168.1.5:443', '192.168.1.5', 443],
  ['::', '::', 4711],
  ['fd00::5', 'fd00::5', 4711],
  ['[fd00::5]:8443', 'fd00::5', 8443],
  ['nas.home:0', 'nas.home', 0],
])('--listen %s', (text, address, port) => expect(parseListen(text)).toEqual({ address, port }));

test.each(['', ':443', 'https://nas', 'nas:http', 'nas:70000', '[nas]:1', '[::1', 'a b', 'nas/', 'fd00::5:99999x'])(
  '--listen %j is refused',
  (text) => expect(() => parseListen(text)).toThrow(expect.objectContaining({ code: 'bad-usage' })),
);
test('the words that are written down for later mean the same in any folder', () => {
  expect(serveWords({})).toEqual(['serve']);
  const options = {
    port: 0,
    listen: '0.0.0.0:443',
    tlsCert: '/etc/a b.pem',
    tlsKey: 'key.pem',
    hostName: ['nas', 'nas.home'],
    atLogin: true,
    profile: '/p',
    secretsFile: 's',
  };
  const here = process.cwd();
  const words = [
    'serve|--port|0|--listen|0.0.0.0:443|--tls-cert|/etc/a b.pem',
    `--tls-key|${here}/key.pem|--host-name|nas|--host-name|nas.home|--at-login|--profile|/p|--secrets-file|${here}/s`,
  ];
  expect(serveWords(options).join('|')).toBe(words.join('|'));
});
