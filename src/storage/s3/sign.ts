/** Signs requests as Amazon wants it (version 4). The only file that knows the library which does. */
import { AwsV4Signer } from 'aws4fetch';
import type { S3Keys } from './keys.ts';

export interface Signable {
  readonly method: string;
  /** Absolute, percent-encoded by RFC 3986 throughout. */
  readonly url: string;
  /** Lower-case names. All but those that proxies change are signed. */
  readonly headers: Readonly<Record<string, string>>;
  /** SHA-256 of the body in hex, or `UNSIGNED-PAYLOAD`. */
  readonly payload: string;
}

/** The SHA-256 of nothing. */
export const emptyPayload = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

export class Signer {
  /** Keys derived for the day, which cost four hashes each. */
  readonly #derived = new Map<string, ArrayBuffer>();

  /** The headers to send, signature included. `now`: milliseconds since 1970. */
  async sign({ method, url, headers, payload }: Signable, keys: S3Keys, region: string, now: number): Promise<Record<string, string>> {
    const signer = new AwsV4Signer({
      method,
      url,
      headers: { ...headers, 'x-amz-content-sha256': payload },
      accessKeyId: keys.accessKeyId,
      secretAccessKey: keys.secretAccessKey,
      ...(keys.sessionToken === undefined ? {} : { sessionToken: keys.sessionToken }),
      service: 's3',
      region,
      cache: this.#derived,
      datetime: new Date(now).toISOString().replaceAll(/[:-]|\.\d{3}/g, ''),
    });
    const signed = await signer.sign();
    return Object.fromEntries(signed.headers);
  }
}
