/** The options of "serve", which "service install" takes as well and writes down for later. */
import { type Command, Option } from 'commander';
import { fail } from '../contract/errors.ts';
import { collect } from './arguments.ts';

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
    .option('--host-name <name>', 'a name by which other computers call this one; may be given several times', collect)
    .option('--at-login', 'it is started because its person has logged in, so that plans for that moment run')
    .option('--profile <folder>', 'the folder of the profile, instead of HOLDFAST_PROFILE')
    .addOption(
      new Option('--secrets-file <file>', 'keep passwords in this file, where there is no keychain (also in HOLDFAST_SECRETS_FILE)'),
    );

/** Throws `bad-usage`. */
function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  return fail('bad-usage', { problem: `--port: “${text}” is no port.`, guidance: 'Write a number up to 65535; 0 takes any that is free.' });
}
