/** What it means when a connection does not come about or breaks off. */
import { type ErrorCode, HoldfastError } from '../../contract/errors.ts';

export interface Endpoint {
  /** The place as a person would recognise it. */
  readonly location: string;
  /** Name and port. */
  readonly server: string;
  /** The proxy on the way there, without secrets. */
  readonly proxy?: string | undefined;
}

/** Errors of the system's network, and of Node above it, by their code. */
const meaning: Readonly<Record<string, ErrorCode>> = {
  ENOTFOUND: 'server-unknown',
  EAI_AGAIN: 'server-unknown',
  EAI_NODATA: 'server-unknown',
  EAI_NONAME: 'server-unknown',
  EAI_FAIL: 'server-unknown',
  ECONNREFUSED: 'server-refused',
  // The socket file of a server on this computer.
  ENOENT: 'server-refused',
  ENETUNREACH: 'server-unreachable',
  ENETDOWN: 'server-unreachable',
  EHOSTUNREACH: 'server-unreachable',
  EHOSTDOWN: 'server-unreachable',
  EADDRNOTAVAIL: 'server-unreachable',
  ETIMEDOUT: 'server-unreachable',
  ERR_SOCKET_CONNECTION_TIMEOUT: 'server-unreachable',
  EACCES: 'server-unreachable',
  EPERM: 'server-unreachable',
  ECONNRESET: 'connection-lost',
  ECONNABORTED: 'connection-lost',
  EPIPE: 'connection-lost',
  ERR_STREAM_PREMATURE_CLOSE: 'connection-lost',
  ERR_HTTP2_STREAM_ERROR: 'connection-lost',
  ERR_HTTP2_SESSION_ERROR: 'connection-lost',
  ERR_HTTP2_STREAM_CANCEL: 'connection-lost',
  ERR_HTTP2_INVALID_SESSION: 'connection-lost',
  ERR_HTTP2_GOAWAY_SESSION: 'connection-lost',
  CERT_HAS_EXPIRED: 'certificate-expired',
  CERT_NOT_YET_VALID: 'certificate-expired',
  CRL_HAS_EXPIRED: 'certificate-expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate-wrong-name',
  HOSTNAME_MISMATCH: 'certificate-wrong-name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate-untrusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate-untrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate-untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate-untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate-untrusted',
  CERT_UNTRUSTED: 'certificate-untrusted',
  CERT_REJECTED: 'certificate-untrusted',
  CERT_REVOKED: 'certificate-untrusted',
  CERT_SIGNATURE_FAILURE: 'certificate-untrusted',
  CERT_CHAIN_TOO_LONG: 'certificate-untrusted',
  INVALID_CA: 'certificate-untrusted',
  INVALID_PURPOSE: 'certificate-untrusted',
  PATH_LENGTH_EXCEEDED: 'certificate-untrusted',
  EPROTO: 'tls-failed',
};

/** What a server that wants a client certificate says, by TLS's name of its alert. */
const clientCertificate =
  /ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_REVOKED|CERTIFICATE_EXPIRED|CERTIFICATE_UNKNOWN|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE)$/;

/** The same where Node passes on nothing but OpenSSL's words: handshake failure, and all that is about certificates (RFC 8446, 6). */
const alertNumber = /SSL alert number (40|42|43|44|45|46|48|49|116)\b/;

/** Told by the one who cut a silent connection off. */
export class SilenceError extends Error {
  override readonly name = 'SilenceError';
  readonly connected: boolean;

  /** `connected`: the server had accepted the connection before it fell silent. */
  constructor(connected: boolean) {
    super(connected ? 'it fell silent' : 'no connection came about in time');
    this.connected = connected;
  }
}

/**
 * The error for a person. A HoldfastError is returned as it is; the system's own words become its `cause`, without what
 * names addresses that the person never typed.
 */
export function connectionError(error: unknown, ends: Endpoint): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const { location, server, proxy } = ends;
  const first = firstOf(error);
  const cause = first instanceof Error ? first.message.split('\n')[0].slice(0, 200) : String(first);
  const code = codeOf(first);
  // Whoever is connected to is the proxy: it finds the server, and tells when there is none.
  if (proxy !== undefined && (isTunnel(first) || unmet.has(code))) return proxyError(ends, statusOf(first), cause, error);
  return new HoldfastError(code, { location, server, cause }, { cause: error });
}

/** The proxy is what is wrong. `status` is that of its answer, undefined for none. */
export function proxyError(
  { location, server, proxy }: Endpoint,
  status: number | undefined,
  cause: string,
  error?: unknown,
): HoldfastError {
  const isSignIn = status === 407;
  const context = { location, server, proxy, cause, isSignIn };
  return new HoldfastError('proxy-failed', context, { cause: error, ...(isSignIn ? { retryable: false } : {}) });
}

/** Between this computer and whoever it connects to, no connection came about. */
const unmet: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['server-unknown', 'server-refused', 'server-unreachable']);

const isTunnel = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ERR_PROXY_TUNNEL';

const statusOf = (error: unknown): number | undefined =>
  error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : undefined;

/** A connection that was tried by several addresses fails with one error for each. */
function firstOf(error: unknown): unknown {
  return error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
}

function codeOf(error: unknown): ErrorCode {
  if (error instanceof SilenceError) return error.connected ? 'connection-lost' : 'server-unreachable';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (clientCertificate.test(code) || (code === 'EPROTO' && alertNumber.test((error as Error).message)))
    return 'client-certificate-refused';
  if (Object.hasOwn(meaning, code)) return meaning[code];
  // The answer could not be read as HTTP.
  if (code.startsWith('HPE_')) return 'server-not-understood';
  if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')) return 'tls-failed';
  return 'connection-lost';
}
