/**
 * What is known about the services that speak Amazon's S3 protocol, by the name of their server.
 *
 * Words: a *service* is who runs the server; its *abilities* are the newer parts of the protocol that it honours. What a
 * service is not known to honour is not sent: some refuse the request then, others ignore it, which looks like success.
 */

export interface S3Abilities {
  /** Refuses `If-None-Match: *` on an upload when the object exists. */
  readonly conditionalPut: boolean;
  /** Checks `x-amz-checksum-sha256` on an upload, keeps it and repeats it in its answer. */
  readonly sha256: boolean;
}

export interface S3Service extends S3Abilities {
  readonly id: 'aws' | 'b2' | 'wasabi' | 'r2' | 'minio' | 'gcs' | 'other';
  readonly title: string;
  /** The server's name, where `{region}` or `{account}` is to be filled in; undefined for servers of one's own. */
  readonly host?: string;
  /** Names of servers of this service; its first group, if it has one, is the region. */
  readonly hosts?: RegExp;
  /** Where the server's name tells none. */
  readonly region: string;
  /** How a bucket is named: as the first part of the server's name, or of the path. */
  readonly lookup: 'dns' | 'path';
}

const plain: S3Abilities = { conditionalPut: false, sha256: false };

export const s3Services: readonly S3Service[] = [
  {
    id: 'aws',
    title: 'Amazon S3',
    host: 's3.{region}.amazonaws.com',
    hosts:
      /(?:^|\.)s3(?:-fips)?(?:[.-]dualstack)?(?:[.-]((?!dualstack|fips|external|accelerate)[a-z]{2}(?:-[a-z]+)+-\d+))?(?:\.vpce)?\.amazonaws\.com(?:\.cn)?$/,
    region: 'us-east-1',
    lookup: 'dns',
    conditionalPut: true,
    sha256: true,
  },
  {
    id: 'b2',
    title: 'Backblaze B2',
    host: 's3.{region}.backblazeb2.com',
    hosts: /^s3\.([a-z0-9-]+)\.backblazeb2\.com$/,
    region: 'us-west-002',
    lookup: 'path',
    ...plain,
  },
  {
    id: 'wasabi',
    title: 'Wasabi',
    host: 's3.{region}.wasabisys.com',
    hosts: /^s3(?:\.([a-z0-9-]+))?\.wasabisys\.com$/,
    region: 'us-east-1',
    lookup: 'path',
    ...plain,
  },
  {
    id: 'r2',
    title: 'Cloudflare R2',
    host: '{account}.r2.cloudflarestorage.com',
    hosts: /(?:^|\.)r2\.cloudflarestorage\.com$/,
    region: 'auto',
    lookup: 'path',
    conditionalPut: true,
    sha256: false,
  },
  {
    id: 'gcs',
    title: 'Google Cloud Storage (interoperability)',
    host: 'storage.googleapis.com',
    hosts: /^storage\.googleapis\.com$/,
    region: 'auto',
    lookup: 'path',
    ...plain,
  },
  { id: 'minio', title: 'MinIO', region: 'us-east-1', lookup: 'path', ...plain },
];

/** Any server that is nobody's known to us: one's own MinIO, Ceph, Garage, Swift, a NAS… */
const other: S3Service = { id: 'other', title: 'S3', region: 'us-east-1', lookup: 'path', ...plain };

export interface RecognisedService {
  readonly service: S3Service;
  /** As the server's name tells it, else the service's usual one. */
  readonly region: string;
}

/** `host`: the server's name, without a port. */
export function serviceAt(host: string): RecognisedService {
  for (const service of s3Services) {
    const found = service.hosts?.exec(host.toLowerCase());
    if (found) return { service, region: found[1] ?? service.region };
  }
  return { service: other, region: other.region };
}

const regionName = /^(?:af|ap|ca|cn|eu|il|me|mx|sa|us)(?:-[a-z]+)+-\d+$/;

/** Whether this is the name of a region of Amazon's, which restic's addresses may give instead of a server. */
export const isAwsRegion = (name: string): boolean => regionName.test(name);

/** Amazon's server for a region. */
export const awsHost = (region: string): string => `s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
