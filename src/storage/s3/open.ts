/** Opens `s3:https://server/bucket/path` and the shorter forms that restic knows. */
import { parseHttpAddress } from '../http/address.ts';
import type { TcpHttpClient } from '../http/client.ts';
import { connectTo } from '../http/connect.ts';
import type { OpenKind } from '../kind.ts';
import { ObjectStorage } from '../objects/object-storage.ts';
import { S3Bucket } from './bucket.ts';
import { findKeys } from './keys.ts';
import { parseS3Place, s3Location } from './place.ts';
import { serviceAt } from './presets.ts';
import { s3Settings } from './settings.ts';
import { Signer } from './sign.ts';

/** Servers of this kind serve many requests at once; how many packs are on their way is decided elsewhere. */
const connections = 32;

export const openS3: OpenKind = (address, context) => {
  const { credentials, clock } = context;
  const place = parseS3Place(`s3:${address}`);
  const { service, region } = serviceAt(place.origin.hostname);
  const location = s3Location(place);
  const connect = (origin: URL): TcpHttpClient => connectTo(parseHttpAddress('s3', origin.href), context, { location, connections });
  // What is wrong with certificates and proxies is told now, not at the first request.
  connect(place.origin);
  const bucket = new S3Bucket({
    place,
    service,
    region: findKeys(credentials).region ?? region,
    settings: s3Settings(credentials),
    findKeys: () => findKeys(credentials),
    signer: new Signer(),
    clock,
    connect,
  });
  return new ObjectStorage(bucket, place.prefix);
};
