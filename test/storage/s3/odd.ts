/** An S3 storage on a server that does what a test wants, which believes to speak with a service of this name. */
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { parseHttpAddress } from '../../../src/storage/http/address.ts';
import { TcpHttpClient } from '../../../src/storage/http/client.ts';
import { ObjectStorage } from '../../../src/storage/objects/object-storage.ts';
import { S3Bucket } from '../../../src/storage/s3/bucket.ts';
import type { FoundKeys } from '../../../src/storage/s3/keys.ts';
import { parseS3Place, s3Location } from '../../../src/storage/s3/place.ts';
import { serviceAt } from '../../../src/storage/s3/presets.ts';
import type { S3Settings } from '../../../src/storage/s3/settings.ts';
import { Signer } from '../../../src/storage/s3/sign.ts';
import type { OddS3 } from '../../support/odd-s3.ts';

export const secret = 'a-very-secret-access-key';

export interface OddOptions {
  readonly host?: string;
  readonly bucket?: string;
  readonly settings?: S3Settings;
  readonly findKeys?: () => FoundKeys;
  readonly clock?: Clock;
  readonly region?: string;
  /** Told each server that the storage connects to. */
  readonly onConnect?: (host: string) => void;
}

/** `host`: any of Amazon's (the default), or of another service. */
export function openOdd(server: OddS3, options: OddOptions = {}): ObjectStorage {
  const { host = 's3.amazonaws.com', bucket = 'bucket', settings = {}, clock = systemClock, onConnect } = options;
  const place = parseS3Place(`s3:https://${host}/${bucket}/place`);
  const location = s3Location(place);
  const { service, region } = serviceAt(place.origin.hostname);
  const keys = { accessKeyId: 'AKIDTEST', secretAccessKey: secret, sessionToken: undefined };
  const made = new S3Bucket({
    place,
    service,
    region: options.region ?? region,
    settings: { lookup: 'path', ...settings },
    findKeys: options.findKeys ?? (() => ({ keys, region: undefined })),
    signer: new Signer(),
    clock,
    connect: (origin) => {
      onConnect?.(origin.host);
      return new TcpHttpClient({ address: { ...parseHttpAddress('s3', server.url), server: origin.host }, location, clock });
    },
  });
  return new ObjectStorage(made, place.prefix);
}
