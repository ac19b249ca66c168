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
  | 'remote';

export type Answers = Partial<Readonly<Record<FieldName, string>>>;

const web = (user: string, password: string, example: string): readonly PlaceField[] => [
  { name: 'url', example },
  { name: 'username', credential: user, isOptional: true },
  { name: 'password', credential: password, isSecret: true, isOptional: true },
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
  ],
  s3: [
    { name: 'endpoint', example: 's3.eu-central-1.amazonaws.com' },
    { name: 'bucket', example: 'my-backups' },
    { name: 'accessKey', credential: 'AWS_ACCESS_KEY_ID' },
    { name: 'secretKey', credential: 'AWS_SECRET_ACCESS_KEY', isSecret: true },
    { name: 'prefix', isOptional: true, example: 'laptop' },
    { name: 'region', credential: 'AWS_DEFAULT_REGION', isOptional: true, example: 'eu-central-1' },
  ],
  webdav: web('HOLDFAST_WEBDAV_USERNAME', 'HOLDFAST_WEBDAV_PASSWORD', 'https://cloud.example/remote.php/dav/files/anna/backup/'),
  rest: web('HOLDFAST_REST_USERNAME', 'HOLDFAST_REST_PASSWORD', 'https://nas.home:8000/laptop/'),
  azure: [
    { name: 'account', credential: 'AZURE_ACCOUNT_NAME' },
    { name: 'accountKey', credential: 'AZURE_ACCOUNT_KEY', isSecret: true },
    { name: 'container', example: 'backups' },
    { name: 'prefix', isOptional: true, example: 'laptop' },
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
