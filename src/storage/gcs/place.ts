/** Where a repository lies in Google's Cloud Storage, as restic writes it: `gs:bucket:/prefix`. */
import { fail } from '../../contract/errors.ts';
import { checkPrefix } from '../objects/keys.ts';

export interface GcsPlace {
  readonly bucket: string;
  /** Without `/` at either end; '' for the whole bucket. */
  readonly prefix: string;
}

/** Google's own rule; names with dots, which are those of domains, may be longer than 63. */
const bucketName = /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/;

const example = 'Write it as gs:BUCKET:/PATH, for example gs:my-backups:/laptop.';

/** `address`: what stands behind `gs:`. Throws `bad-usage`, which repeats nothing of it. */
export function parseGcsPlace(address: string): GcsPlace {
  const [, bucket = '', path] = /^([^:/]*)(?::(.*))?$/s.exec(address) ?? [];
  if (bucket === '' || path === undefined)
    return fail('bad-usage', { problem: 'The Google destination does not name a bucket and a path.', guidance: example });
  if (!bucketName.test(bucket))
    return fail('bad-usage', { problem: 'The Google destination names a bucket as none can be called.', guidance: example });
  return { bucket, prefix: checkPrefix(path, example) };
}

/** As a person would recognise it; it can be given to --repo again. */
export const gcsLocation = ({ bucket, prefix }: GcsPlace): string => `gs:${bucket}:/${prefix}`;
