/**
 * Private keys in the form of PKCS#8 (RFC 5958), which OpenSSL makes and ssh reads, in a form that ssh2 reads: PKCS#1 for RSA, SEC 1
 * for ECDSA, and OpenSSH's own for Ed25519 (PROTOCOL.key in OpenSSH's sources).
 */
import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto';

const isPkcs8 = /-----BEGIN (ENCRYPTED )?PRIVATE KEY-----/;

/** The text in another form; as it is when it is no PKCS#8. Throws what Node does when it is one that cannot be read. */
export function fromPkcs8(text: string, passphrase: string | undefined): string {
  const [, encrypted] = isPkcs8.exec(text) ?? [];
  if (!isPkcs8.test(text)) return text;
  if (encrypted !== undefined && passphrase === undefined) throw new Error('no passphrase given');
  const key = createPrivateKey({ key: text, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) });
  const type = key.asymmetricKeyType;
  if (type === 'rsa') return key.export({ type: 'pkcs1', format: 'pem' }).toString();
  if (type === 'ec') return key.export({ type: 'sec1', format: 'pem' }).toString();
  if (type === 'ed25519') return ed25519(key);
  throw new Error(`it is a key of the type ${type}, which SSH does not know`);
}

function ed25519(key: KeyObject): string {
  const { x = '', d = '' }: JsonWebKey = key.export({ format: 'jwk' });
  const [own, secret] = [x, d].map((each) => Buffer.from(each, 'base64url'));
  const type = lengthed(Buffer.from('ssh-ed25519'));
  const check = Buffer.alloc(8);
  const held = Buffer.concat([check, type, lengthed(own), lengthed(Buffer.concat([secret, own])), lengthed(Buffer.alloc(0))]);
  const padding = Buffer.from(Array.from({ length: (8 - (held.length % 8)) % 8 }, (_, i) => i + 1));
  const none = lengthed(Buffer.from('none'));
  const one = Buffer.of(0, 0, 0, 1);
  const begin = Buffer.from('openssh-key-v1\0');
  const publicKey = lengthed(Buffer.concat([type, lengthed(own)]));
  const whole = Buffer.concat([begin, none, none, lengthed(Buffer.alloc(0)), one, publicKey, lengthed(Buffer.concat([held, padding]))]);
  const lines = whole.toString('base64').match(/.{1,70}/g) ?? [];
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n');
}

function lengthed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
