/** Certificates for tests, made by openssl in a scratch folder. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificate {
  /** Files in PEM. */
  readonly certificate: string;
  readonly key: string;
  /** Both in one file, as restic wants a client's. */
  readonly both: string;
}

export interface CertificateOptions {
  /** For example `DNS:localhost,IP:127.0.0.1`. */
  readonly names?: string;
  /** In the form of openssl, such as 20200101000000Z; default: from a day ago for 30 days. */
  readonly from?: string;
  readonly until?: string;
}

/** An authority that signs certificates. */
export class Authority {
  readonly #folder: string;
  /** Its own certificate, in PEM. */
  readonly certificate: string;

  constructor(folder: string, name = 'Test Authority') {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    this.certificate = join(folder, 'ca.pem');
    const key = join(folder, 'ca.key');
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    openssl(['req', '-x509', ...curve, '-keyout', key, '-out', this.certificate, '-days', '30', '-subj', `/CN=${name}`]);
    writeFileSync(join(folder, 'index'), '');
    writeFileSync(join(folder, 'index.attr'), 'unique_subject = no\n');
    writeFileSync(join(folder, 'serial'), '1000\n');
    writeFileSync(
      join(folder, 'ca.conf'),
      [
        '[ca]',
        'default_ca = it',
        '[it]',
        `database = ${join(folder, 'index')}`,
        `serial = ${join(folder, 'serial')}`,
        `new_certs_dir = ${folder}`,
        `certificate = ${this.certificate}`,
        `private_key = ${key}`,
        'default_md = sha256',
        'policy = any',
        '[any]',
        'commonName = supplied',
        '',
      ].join('\n'),
    );
  }

  sign(name: string, { names = 'DNS:localhost,IP:127.0.0.1', from, until }: CertificateOptions = {}): Certificate {
    const file = (ending: string): string => join(this.#folder, `${name}.${ending}`);
    const made = { certificate: file('pem'), key: file('key'), both: file('both.pem') };
    if (existsSync(made.certificate)) return made;
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    openssl(['req', '-new', ...curve, '-keyout', made.key, '-out', file('csr'), '-subj', `/CN=${name}`]);
    writeFileSync(file('ext'), `subjectAltName = ${names}\n`);
    const dates = from === undefined ? ['-days', '30'] : ['-startdate', from, '-enddate', until ?? from];
    openssl([
      'ca',
      '-batch',
      '-config',
      join(this.#folder, 'ca.conf'),
      '-in',
      file('csr'),
      '-out',
      made.certificate,
      '-notext',
      '-extfile',
      file('ext'),
      ...dates,
    ]);
    writeFileSync(made.both, readFileSync(made.certificate, 'utf8') + readFileSync(made.key, 'utf8'));
    return made;
  }
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
