/**
 * Kinds of places on servers: what is asked for each, and how a *place* (as the service takes it) and its credentials are made of the answers.
 * Nothing here is kept: secrets go to the service, and from there to the keychain.
 */

export const serverKinds = ['sftp', 's3', 'webdav', 'rest', 'azure', 'gs', 'rclone'] as const;
export type ServerKind = (typeof serverKinds)[number];

export interface PlaceField {
  /** Also the key of its words: `connect.field.<name>`. */
  readonly name: FieldName;
  readonly isSecret?: boolean;
  readonly isOptional?: boolean;
  /** The name under which its value is a credential; without one it is a part of the place. */
  readonly credential?: string;
  /** An example, the same in all languages. */
  readonly example?: string;
}

export type FieldName =
  | 'host'
  | 'port'
  | 'user'
  | 'path'
  | 'password'
  | 'keyFile'
  | 'keyPassphrase'
  | 'endpoint'
  | 'bucket'
  | 'container'
  | 'prefix'
  | 'accessKey'
  | 'secretKey'
  | 'region'
  | 'url'
  | 'username'
  | 'account'
  | 'accountKey'
  | 'serviceKeyFile'
  | 'project'
  | 'remote'
  | 'hostKey'
  | 'azureEndpoint'
  | 'authority'
  | 'clientCertificate';

export type Answers = Partial<Readonly<Record<FieldName, string>>>;

/** For servers of one's own, whose certificate nobody else has signed. */
const authority: PlaceField = { name: 'authority', credential: 'HOLDFAST_CACERT', isOptional: true, example: '/home/anna/nas.pem' };

const web = (user: string, password: string, example: string): readonly PlaceField[] => [
  { name: 'url', example },
  { name: 'username', credential: user, isOptional: true },
  { name: 'password', credential: password, isSecret: true, isOptional: true },
  authority,
  { name: 'clientCertificate', credential: 'HOLDFAST_TLS_CLIENT_CERT', isOptional: true, example: '/home/anna/me.pem' },
];

/** What is asked, in this order. */
export const fieldsOf: Readonly<Record<ServerKind, readonly PlaceField[]>> = {
  sftp: [
    { name: 'host', example: 'nas.home' },
    { name: 'user', example: 'anna' },
    { name: 'path', example: '/volume1/backup' },
    { name: 'password', credential: 'HOLDFAST_SFTP_PASSWORD', isSecret: true, isOptional: true },
    { name: 'keyFile', credential: 'HOLDFAST_SFTP_KEY_FILE', isOptional: true, example: '/home/anna/.ssh/id_ed25519' },
    { name: 'keyPassphrase', credential: 'HOLDFAST_SFTP_KEY_PASSPHRASE', isSecret: true, isOptional: true },
    { name: 'port', isOptional: true, example: '22' },
    { name: 'hostKey', credential: 'HOLDFAST_SFTP_HOST_KEY', isOptional: true, example: 'SHA256:…' },
  ],
  s3: [
    { name: 'endpoint', example: 's3.eu-central-1.amazonaws.com' },
    { name: 'bucket', example: 'my-backups' },
    { name: 'accessKey', credential: 'AWS_ACCESS_KEY_ID' },
    { name: 'secretKey', credential: 'AWS_SECRET_ACCESS_KEY', isSecret: true },
    { name: 'prefix', isOptional: true, example: 'laptop' },
    { name: 'region', credential: 'AWS_DEFAULT_REGION', isOptional: true, example: 'eu-central-1' },
    authority,
  ],
  webdav: web('HOLDFAST_WEBDAV_USERNAME', 'HOLDFAST_WEBDAV_PASSWORD', 'https://cloud.example/remote.php/dav/files/anna/backup/'),
  rest: web('HOLDFAST_REST_USERNAME', 'HOLDFAST_REST_PASSWORD', 'https://nas.home:8000/laptop/'),
  azure: [
    { name: 'account', credential: 'AZURE_ACCOUNT_NAME' },
    { name: 'accountKey', credential: 'AZURE_ACCOUNT_KEY', isSecret: true },
    { name: 'container', example: 'backups' },
    { name: 'prefix', isOptional: true, example: 'laptop' },
    { name: 'azureEndpoint', credential: 'HOLDFAST_AZURE_ENDPOINT', isOptional: true, example: 'https://mine.blob.core.windows.net' },
    authority,
  ],
  gs: [
    { name: 'bucket', example: 'my-backups' },
    { name: 'serviceKeyFile', credential: 'GOOGLE_APPLICATION_CREDENTIALS', example: '/home/anna/service-account.json' },
    { name: 'project', credential: 'GOOGLE_PROJECT_ID', isOptional: true },
    { name: 'prefix', isOptional: true, example: 'laptop' },
  ],
  rclone: [
    { name: 'remote', example: 'mydrive' },
    { name: 'path', isOptional: true, example: 'backup' },
  ],
};

const trimmed = (answers: Answers, name: FieldName): string => (answers[name] ?? '').trim();

/** Fields that must be filled in and are not. */
export const missingFields = (kind: ServerKind, answers: Answers): FieldName[] =>
  fieldsOf[kind].filter(({ name, isOptional }) => isOptional !== true && trimmed(answers, name) === '').map(({ name }) => name);

/** A name in an address: an IPv6 address stands in brackets. */
const inAddress = (host: string): string => (host.includes(':') && !host.startsWith('[') ? `[${host}]` : host);

const below = (bucket: string, prefix: string): string => {
  const clean = prefix.replace(/^\/+|\/+$/g, '');
  return clean === '' ? bucket : `${bucket}/${clean}`;
};

/** The place as the service takes it, written as restic does. The answers must be complete. */
export function placeOf(kind: ServerKind, answers: Answers): string {
  const say = (name: FieldName): string => trimmed(answers, name);
  switch (kind) {
    case 'sftp': {
      const [user, host, path, port] = [say('user'), inAddress(say('host')), say('path'), say('port')];
      if (port === '') return `sftp:${user}@${host}:${path}`;
      // This form is an address of the web: behind the port one slash belongs to it, and a second one begins a path from the root.
      return `sftp://${encodeURIComponent(user)}@${host}:${port}/${path.split('/').map(encodeURIComponent).join('/')}`;
    }
    case 's3':
      return `s3:${say('endpoint').replace(/\/+$/, '')}/${below(say('bucket'), say('prefix'))}`;
    case 'webdav':
    case 'rest':
      return `${kind}:${say('url').replace(new RegExp(`^${kind}:`), '')}`;
    case 'azure':
      return `azure:${say('container')}:/${say('prefix').replace(/^\/+/, '')}`;
    case 'gs':
      return `gs:${say('bucket')}:/${say('prefix').replace(/^\/+/, '')}`;
    case 'rclone':
      return `rclone:${say('remote').replace(/:$/, '')}:${say('path')}`;
  }
}

/** The credentials by their names; what was left empty is left out. */
export function credentialsOf(kind: ServerKind, answers: Answers): Record<string, string> {
  return Object.fromEntries(
    fieldsOf[kind].flatMap(({ name, credential, isSecret }) => {
      // A space at the edge of a password may belong to it.
      const value = isSecret === true ? (answers[name] ?? '') : trimmed(answers, name);
      return credential === undefined || value === '' ? [] : [[credential, value]];
    }),
  );
}

/** What the destination is called before somebody calls it otherwise. */
export function nameOf(kind: ServerKind, answers: Answers): string {
  const url = trimmed(answers, 'url');
  if (kind === 'webdav' || kind === 'rest') return URL.canParse(url) ? new URL(url).hostname : url;
  return trimmed(answers, { sftp: 'host', s3: 'bucket', azure: 'container', gs: 'bucket', rclone: 'remote' }[kind] as FieldName);
}

/** A path within a bucket or container, as it is asked for. */
const prefixOf = (path: string): Answers => (path === '' ? {} : { prefix: path });

/** The answers that lead to a place, as a recovery kit says it; undefined for one that is on no server, or is written in another way. */
export function answersOf(place: string): { readonly kind: ServerKind; readonly answers: Answers } | undefined {
  const [, word = '', rest = ''] = /^([a-z][a-z0-9]+):(.*)$/s.exec(place) ?? [];
  const kind = serverKinds.find((each) => each === word);
  const answers = kind && answersFrom(kind, rest);
  return kind && answers ? { kind, answers } : undefined;
}

function answersFrom(kind: ServerKind, rest: string): Answers | undefined {
  switch (kind) {
    case 'sftp': {
      const [, user, host, port, path] = /^\/\/([^@/]+)@(\[[^\]]+\]|[^:/]+)(?::(\d+))?\/(.*)$/s.exec(rest) ?? [];
      if (user !== undefined && host !== undefined && path !== undefined)
        return { user: decodeURIComponent(user), host, path: path.split('/').map(decodeURIComponent).join('/'), port: port ?? '22' };
      const [, plainUser, plainHost, plainPath] = /^([^@/]+)@(\[[^\]]+\]|[^:/]+):(.*)$/s.exec(rest) ?? [];
      return plainUser === undefined || plainHost === undefined || plainPath === undefined
        ? undefined
        : { user: plainUser, host: plainHost, path: plainPath };
    }
    case 's3': {
      const [, endpoint, bucket, prefix = ''] = /^((?:https?:\/\/)?[^/]+)\/([^/]+)\/?(.*)$/s.exec(rest) ?? [];
      return endpoint === undefined || bucket === undefined ? undefined : { endpoint, bucket, ...prefixOf(prefix) };
    }
    case 'webdav':
    case 'rest':
      return { url: rest };
    case 'azure':
    case 'gs': {
      const [, bucket, prefix = ''] = /^([^:/]+):\/?(.*)$/s.exec(rest) ?? [];
      if (bucket === undefined) return undefined;
      return { ...(kind === 'gs' ? { bucket } : { container: bucket }), ...prefixOf(prefix) };
    }
    case 'rclone': {
      const [, remote, path = ''] = /^([^:]+):(.*)$/s.exec(rest) ?? [];
      return remote === undefined ? undefined : { remote, path };
    }
  }
}
