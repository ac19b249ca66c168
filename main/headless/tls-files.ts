/** A certificate and its key, looked at before anything is opened with them. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { fail } from '../../src/contract/errors.ts';

/** In PEM; `cert` may be a chain. */
export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Throws `tls-unusable`. */
export function readTlsFiles(certFile: string, keyFile: string): TlsFiles {
  try {
    const [cert, key] = [readFileSync(certFile), readFileSync(keyFile)];
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) throw new Error('the key belongs to another certificate');
    createSecureContext({ cert, key });
    return { cert, key };
  } catch (error) {
    return fail('tls-unusable', { path: certFile, cause: (error as Error).message }, error);
  }
}
