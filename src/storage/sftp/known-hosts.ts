/**
 * Reading files of known host keys as OpenSSH keeps them (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT").
 *
 * Words: a *host key* is what a server proves to be itself by; a *blob* is its public part as it is sent; a *fingerprint* is the
 * SHA-256 of the blob, as people compare it.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** One line that is about the host that was asked for. */
export interface KnownKey {
  /** `authority`: not the host's own key, but of whoever signs certificates for it. */
  readonly role: 'own' | 'revoked' | 'authority';
  /** For example `ssh-ed25519`. */
  readonly type: string;
  readonly blob: Buffer;
  /** From 1. */
  readonly line: number;
}

const roles = new Map<string | undefined, KnownKey['role']>([
  [undefined, 'own'],
  ['@revoked', 'revoked'],
  ['@cert-authority', 'authority'],
]);

/** As lines name a host: with its port where that is not the usual one. */
export const hostEntry = (host: string, port: number): string => (port === 22 ? host : `[${host}]:${port}`);

/** The keys that a text names for a host. Lines that cannot be read do not count. */
export function knownKeys(text: string, host: string, port: number): KnownKey[] {
  const entry = hostEntry(host.toLowerCase(), port);
  const found: KnownKey[] = [];
  for (const [i, written] of text.split(/\r?\n/).entries()) {
    const line = written.trim();
    if (line === '' || line.startsWith('#')) continue;
    const words = line.split(/[ \t]+/);
    const marker = words[0].startsWith('@') ? words.shift() : undefined;
    const [hosts, type, base64] = words;
    const role = roles.get(marker);
    if (role === undefined || base64 === undefined || !isAbout(hosts, entry)) continue;
    const blob = Buffer.from(base64, 'base64');
    if (typeOfBlob(blob) !== type) continue;
    found.push({ role, type, blob, line: i + 1 });
  }
  return found;
}

/** Whether the first field of a line is about the host. */
function isAbout(hosts: string, entry: string): boolean {
  if (hosts.startsWith('|')) return isHashOf(hosts, entry);
  return matchesHosts(hosts.split(','), entry);
}

/** Whether one of the patterns is about the host, and none with a `!` in front. */
export function matchesHosts(patterns: readonly string[], entry: string): boolean {
  let isNamed = false;
  for (const written of patterns) {
    const isNegated = written.startsWith('!');
    if (!matches((isNegated ? written.slice(1) : written).toLowerCase(), entry)) continue;
    if (isNegated) return false;
    isNamed = true;
  }
  return isNamed;
}

/** `|1|salt|hash`: so that the file gives away no names. */
function isHashOf(hosts: string, entry: string): boolean {
  const [, version, salt, hash] = hosts.split('|');
  if (version !== '1' || salt === undefined || hash === undefined) return false;
  const expected = Buffer.from(hash, 'base64');
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(entry).digest();
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/** `*` stands for any signs, `?` for one. */
function matches(pattern: string, entry: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern === entry;
  const escaped = pattern.replace(/[^*?]/g, (sign) => `\\u{${sign.codePointAt(0)?.toString(16)}}`);
  return new RegExp(`^${escaped.replaceAll(/\*+/g, '.*').replaceAll('?', '.')}$`, 'su').test(entry);
}

/** The type that a blob names at its beginning (RFC 4253, 6.6); '' when it names none. */
export function typeOfBlob(blob: Buffer): string {
  if (blob.length < 4) return '';
  const length = blob.readUInt32BE(0);
  return length > 0 && length <= 64 && blob.length >= 4 + length ? blob.toString('latin1', 4, 4 + length) : '';
}

/** `SHA256:…`, as OpenSSH shows it. */
export const fingerprint = (blob: Buffer): string => `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;

/** The type as people call it. */
export function shortType(type: string): string {
  if (type.startsWith('ecdsa-')) return 'ECDSA';
  return type.replace(/^ssh-/, '').toUpperCase();
}
