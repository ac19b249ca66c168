/** Certificates for servers of tests, made by openssl: one authority, and a certificate of a server that it has signed. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ServerCertificate {
  /** Files in PEM. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** Makes them in `folder`; the server's certificate is for these names or addresses. */
export function makeCertificate(folder: string, names: readonly string[] = ['127.0.0.1']): ServerCertificate {
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: readonly string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const alternatives = names.map((name) => `${/^[\d.]+$/.test(name) ? 'IP' : 'DNS'}:${name}`).join(',');
  writeFileSync(file('extensions'), `subjectAltName=${alternatives}\n`);
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-days',
    '30',
    '-subj',
    '/CN=Test authority',
    '-keyout',
    file('authority.key'),
    '-out',
    file('authority.pem'),
  );
  openssl('req', ...newKey, '-subj', '/CN=Test server', '-keyout', file('server.key'), '-out', file('server.csr'));
  const signedBy = ['-CA', file('authority.pem'), '-CAkey', file('authority.key'), '-CAcreateserial'];
  openssl(
    'x509',
    '-req',
    '-in',
    file('server.csr'),
    ...signedBy,
    '-days',
    '30',
    '-extfile',
    file('extensions'),
    '-out',
    file('server.pem'),
  );
  return { authority: file('authority.pem'), certificate: file('server.pem'), key: file('server.key') };
}
