/**
 * Where a repository lies on a server that speaks S3, as restic writes it:
 * `s3:https://host[:port]/bucket[/prefix]`, `s3:host/bucket[/prefix]`, `s3://host/bucket[/prefix]`; instead of a host, a
 * region of Amazon's.
 */

import { fail } from '../../contract/errors.ts';
import { checkPrefix } from '../objects/keys.ts';
import { awsHost, isAwsRegion } from './presets.ts';

export interface S3Place {
  /** Scheme, host and port. */
  readonly origin: URL;
  readonly bucket: string;
  /** Without `/` at either end; '' for the whole bucket. */
  readonly prefix: string;
}

/** What Amazon asks of a bucket's name, and capitals and `_`, which other servers and old buckets have. */
const bucketName = /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/;

const example = 'Write it as s3:https://HOST/BUCKET/PATH, for example s3:https://s3.eu-central-1.amazonaws.com/my-backups/laptop.';

const wrong = (problem: string): never => fail('bad-usage', { problem, guidance: example });

/** Throws `bad-usage` for what is no such place; nothing of it is repeated, since it may hold a key. */
export function parseS3Place(place: string): S3Place {
  if (!place.startsWith('s3:')) return wrong('An S3 destination begins with s3:.');
  const address = place.slice('s3:'.length).replace(/^\/\//, '');
  const [, scheme = 'https', rest] = /^(?:(https?):\/\/)?(.*)$/s.exec(address)!;
  const [host = '', bucket = '', ...below] = rest.split('/');
  // A key may hold slashes, so that its end can stand where a bucket should.
  if (host.includes('@') || bucket.includes('@'))
    return wrong('The address of an S3 destination holds no key: it would be shown and logged.');
  if (host === '') return wrong('The S3 destination names no server.');
  if (bucket === '') return wrong('The S3 destination names no bucket.');
  if (!bucketName.test(bucket)) return wrong('The S3 destination names a bucket as none can be called.');
  const server = isAwsRegion(host) ? awsHost(host) : host;
  if (!/^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.test(server) || !URL.canParse(`${scheme}://${server}/`))
    return wrong('The S3 destination names a server as none can be called.');
  return { origin: new URL(`${scheme}://${server}/`), bucket, prefix: checkPrefix(below.join('/'), example) };
}

/** As a person would recognise it; it can be given to --repo again. */
export const s3Location = ({ origin, bucket, prefix }: S3Place): string =>
  `s3:${origin.protocol}//${origin.host}/${bucket}${prefix === '' ? '' : `/${prefix}`}`;
