/** The options of "serve", which "service install" takes as well and writes down for later. */
import { isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { fail } from '../contract/errors.ts';
import { collect } from './arguments.ts';

export const secretsVariable = 'HOLDFAST_SECRETS_FILE';

export interface ServeOptions {
  readonly secretsFile?: string;
  readonly port?: number;
  readonly listen?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly hostName?: readonly string[];
  readonly atLogin?: boolean;
  readonly profile?: string;
}

export const withServeOptions = (command: Command): Command =>
  command
    .option('--port <n>', 'also for browsers of this computer, on this port of 127.0.0.1 (0: any that is free)', parsePort)
    .option('--listen <address>', 'also for browsers of other computers, ADDRESS or ADDRESS:PORT; needs a certificate and a login')
    .option('--tls-cert <file>', 'the certificate for --listen, with those that lead to its authority, in PEM')
    .option('--tls-key <file>', 'its key, in PEM')
    .option('--host-name <name>', 'a name by which other computers call this one; may be given several times', collectNames)
    .option('--at-login', 'it is started because its person has logged in, so that plans for that moment run')
    .option('--profile <folder>', 'the folder of the profile, instead of HOLDFAST_PROFILE')
    .addOption(
      new Option('--secrets-file <file>', 'keep passwords in this file, where there is no keychain (also in HOLDFAST_SECRETS_FILE)'),
    );

/** Throws `bad-usage`. */
function collectNames(text: string, before: readonly string[] | undefined): string[] {
  if (/^[\w.-]+$/.test(text) || isIPv6(text)) return collect(text, before);
  return fail('bad-usage', {
    problem: `--host-name: “${text}” is no name of a computer.`,
    guidance: 'Write it alone, as nas.home.example.',
  });
}

/** Throws `bad-usage`. */
function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  return fail('bad-usage', { problem: `--port: “${text}” is no port.`, guidance: 'Write a number up to 65535; 0 takes any that is free.' });
}

/** Where it is not said otherwise. */
const usualPort = 4711;

/** `ADDRESS`, `ADDRESS:PORT`, `[IPV6]:PORT`. Throws `bad-usage`. */
export function parseListen(text: string): { address: string; port: number } {
  if (isIPv6(text)) return { address: text, port: usualPort };
  const [, inBrackets, name, port] = /^(?:\[([^[\]]+)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const address = inBrackets ?? name;
  if (address === undefined || (inBrackets !== undefined && !isIPv6(inBrackets)) || Number(port ?? 0) > 65_535) {
    return fail('bad-usage', {
      problem: `--listen: “${text}” is no address to listen on.`,
      guidance: 'Write for example 192.168.1.5, 192.168.1.5:4711, [fd00::5]:4711 or 0.0.0.0.',
    });
  }
  return { address, port: port === undefined ? usualPort : Number(port) };
}

/** The same as words of a command, which mean the same in any folder. */
export function serveWords(options: ServeOptions): string[] {
  const word = (name: string, value: string | number | undefined): string[] => (value === undefined ? [] : [name, String(value)]);
  const file = (name: string, value: string | undefined): string[] => word(name, value === undefined ? undefined : resolve(value));
  return [
    'serve',
    ...word('--port', options.port),
    ...word('--listen', options.listen),
    ...file('--tls-cert', options.tlsCert),
    ...file('--tls-key', options.tlsKey),
    ...(options.hostName ?? []).flatMap((name) => word('--host-name', name)),
    ...(options.atLogin ? ['--at-login'] : []),
    ...file('--profile', options.profile),
    ...file('--secrets-file', options.secretsFile),
  ];
}
