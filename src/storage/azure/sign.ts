/**
 * Proves to Azure who asks: by an account's key, with which each request is signed (“Shared Key”, version 2015-02-21 and
 * later), by a shared access signature (SAS), which somebody has made and which is sent along, or by an access token.
 */
import { createHmac } from 'node:crypto';
import type { RenewedToken } from '../objects/renewed-token.ts';

export type AzureCredential =
  | { readonly kind: 'key'; readonly account: string /** Not base64 any more. */; readonly key: Buffer }
  /** `token` without the question mark, percent-encoded as it came. */
  | { readonly kind: 'sas'; readonly account: string; readonly token: string }
  /** Of the machine's own identity. */
  | { readonly kind: 'machine'; readonly account: string; readonly tokens: RenewedToken };

export interface AzureRequest {
  readonly method: string;
  /** Percent-encoded; begins with `/`. On servers that have one name for all accounts the account stands first. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Lower-case names; `x-ms-date` and `x-ms-version` among them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of the body, in bytes. */
  readonly length: number;
}

/** Headers whose values are signed, in this order, after the length. */
const signedHeaders = [
  'content-md5',
  'content-type',
  'date',
  'if-modified-since',
  'if-match',
  'if-none-match',
  'if-unmodified-since',
  'range',
];

/** The `Authorization` header for an account's key. */
export function sharedKey({ method, path, query, headers, length }: AzureRequest, account: string, key: Buffer): string {
  const own = Object.keys(headers)
    .filter((name) => name.startsWith('x-ms-'))
    .sort()
    .map((name) => `${name}:${headers[name]}\n`)
    .join('');
  const parameters = Object.keys(query)
    .sort()
    .map((name) => `\n${name}:${query[name]}`)
    .join('');
  const text = [
    method,
    headers['content-encoding'] ?? '',
    headers['content-language'] ?? '',
    length === 0 ? '' : String(length),
    ...signedHeaders.map((name) => headers[name] ?? ''),
    `${own}/${account}${path}${parameters}`,
  ].join('\n');
  return `SharedKey ${account}:${createHmac('sha256', key).update(text, 'utf8').digest('base64')}`;
}
