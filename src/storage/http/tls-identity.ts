/** Whom to trust, and who one is oneself, on encrypted connections; both from files that a person names. */
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import { fail } from '../../contract/errors.ts';
import type { Credentials } from '../credentials.ts';

export interface TlsIdentity {
  /** Certificates in PEM of the only authorities to trust; undefined: those that this computer trusts. */
  readonly ca: readonly string[] | undefined;
  /** The person's own certificate and its key, in PEM. */
  readonly certificate: string | undefined;
}

/** Reads the files that are named as restic names them. Throws `input-unreadable`, `bad-usage` for one that holds no certificate. */
export function tlsIdentity(credentials: Credentials): TlsIdentity {
  const caFile = credentials.get('HOLDFAST_CACERT', 'RESTIC_CACERT');
  const ownFile = credentials.get('HOLDFAST_TLS_CLIENT_CERT', 'RESTIC_TLS_CLIENT_CERT');
  // Several files may be named, separated by commas, as restic allows it.
  const ca = caFile?.split(',').map((file) => readPem(file, 'the file of an authority', 'CERTIFICATE'));
  const certificate = ownFile === undefined ? undefined : readPem(ownFile, 'the file of your certificate', 'CERTIFICATE', 'PRIVATE KEY');
  if (certificate !== undefined) refuseUnfit(certificate, ownFile!);
  return { ca, certificate };
}

function readPem(file: string, purpose: string, ...parts: readonly string[]): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return fail('input-unreadable', { path: file, purpose, cause: (error as Error).message }, error);
  }
  for (const part of parts) {
    if (new RegExp(`-----BEGIN [A-Z0-9 ]*${part}-----`).test(text)) continue;
    fail('bad-usage', {
      problem: `${file}, ${purpose}, holds no ${part.toLowerCase()}.`,
      guidance: `Name a file in the PEM format, with ${parts.join(' and ').toLowerCase()}.`,
    });
  }
  return text;
}

function refuseUnfit(certificate: string, file: string): void {
  try {
    tls.createSecureContext({ cert: certificate, key: certificate });
  } catch (error) {
    fail('bad-usage', {
      problem: `${file}, the file of your certificate, cannot be used: ${(error as Error).message}.`,
      guidance: 'It needs a certificate and its key, without a password on the key.',
    });
  }
}
