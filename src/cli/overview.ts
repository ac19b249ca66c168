/** What is said about the program as a whole: below its help, and in its manual page. */
import { exitCodes } from './exit-codes.ts';

export interface Overview {
  readonly about: string;
  /** How places are written that are no folders, and what they are. */
  readonly places: readonly (readonly [place: string, meaning: string])[];
  /** Names and meanings. */
  readonly environment: readonly (readonly [name: string, meaning: string])[];
  readonly exitCodes: readonly (readonly [code: number, meaning: string])[];
  readonly examples: readonly string[];
}

const meanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  done: 'done',
  failed: 'failed or wrongly used',
  incomplete: 'done, but something is missing or damaged',
  noRepository: 'no repository there',
  locked: 'locked by another program',
  wrongPassword: 'wrong password',
  cancelled: 'cancelled',
};

export const overview: Overview = {
  about: 'A snapshot is its ID, the beginning of one, or "latest"; where a place in it is meant, a colon and a path follow.',
  places: [
    ['rest:https://server:8000/path/', 'on a restic REST server; its user in HOLDFAST_REST_USERNAME and _PASSWORD'],
    ['s3:https://server/bucket/path', 'on Amazon S3 or a server like it; its keys as Amazon’s programs have them'],
    ['webdav:https://server/path/', 'on a WebDAV server; its user in HOLDFAST_WEBDAV_USERNAME and _PASSWORD'],
    ['sftp:user@server:/path', 'on a server with SSH, or sftp://user@server:port//path; ssh’s own keys, agent and configuration'],
    ['azure:container:/path', 'on Azure Blob Storage; its account in AZURE_ACCOUNT_NAME and AZURE_ACCOUNT_KEY'],
    ['gs:bucket:/path', 'on Google Cloud Storage; its key in a file that GOOGLE_APPLICATION_CREDENTIALS names'],
    ['rclone:remote:path', 'on a remote of your rclone, found in PATH or named in HOLDFAST_RCLONE'],
  ],
  environment: [
    ['HOLDFAST_REPOSITORY', 'the repository, instead of --repo'],
    ['HOLDFAST_PASSWORD', 'its password'],
    ['HOLDFAST_PASSWORD_FILE', 'a file that holds its password, instead of --password-file'],
    ['HOLDFAST_CREDENTIALS_FILE', 'a file of NAME=value lines with what opens servers, instead of --credentials-file'],
    ['HOLDFAST_REST_USERNAME', 'user of a REST server; with HOLDFAST_REST_PASSWORD, or as restic calls them'],
    ['HOLDFAST_WEBDAV_USERNAME', 'user of a WebDAV server, such as Nextcloud; with HOLDFAST_WEBDAV_PASSWORD'],
    ['AWS_ACCESS_KEY_ID', 'key of an S3 server; with AWS_SECRET_ACCESS_KEY, or a profile in AWS_PROFILE'],
    ['HOLDFAST_SFTP_KEY_FILE', 'private key for an SSH server, with HOLDFAST_SFTP_KEY_PASSPHRASE; or HOLDFAST_SFTP_PASSWORD'],
    ['HOLDFAST_SFTP_HOST_KEY', 'fingerprint (SHA256:…) of the only host key to accept of an SSH server'],
    ['HOLDFAST_SFTP_KNOWN_HOSTS', 'the file in which new host keys are noted'],
    [
      'HOLDFAST_SFTP_JUMP',
      'servers on the way to an SSH server (user@gate:22,second), instead of what ProxyJump in ~/.ssh/config says; or none',
    ],
    ['AZURE_ACCOUNT_NAME', 'account of Azure; with AZURE_ACCOUNT_KEY or a shared access signature in AZURE_ACCOUNT_SAS'],
    ['HOLDFAST_AZURE_ENDPOINT', 'address of the account, where it is not in Azure itself'],
    ['GOOGLE_APPLICATION_CREDENTIALS', 'a file with the key of a service account of Google’s; or a GOOGLE_ACCESS_TOKEN'],
    ['GOOGLE_PROJECT_ID', 'the project to make a bucket in, where it is not that of the account'],
    ['HOLDFAST_CLOUD_IDENTITY', 'machine: the identity of this machine of Azure’s or Google’s, instead of a key'],
    ['HOLDFAST_CACERT', 'a certificate file: the only authority to trust'],
    ['HOLDFAST_TLS_CLIENT_CERT', 'a file with your own certificate and its key, for servers that ask for one'],
    ['HTTPS_PROXY', 'address of a proxy for https, HTTP_PROXY for http; NO_PROXY names servers that need none'],
    ['HOLDFAST_CACHE_FOLDER', 'where copies of index, snapshots, folder listings and a key file of repositories behind a network are kept'],
    ['HOLDFAST_RCLONE', 'the rclone program, where it is not in PATH'],
    ['HOLDFAST_DEBUG', '1 adds to an error where in the program it came from'],
  ],
  exitCodes: (Object.keys(exitCodes) as (keyof typeof exitCodes)[]).map((name) => [exitCodes[name], meanings[name]]),
  examples: [
    'holdfast --repo /media/disk/backup init',
    'holdfast --repo /media/disk/backup backup ~/Documents',
    'holdfast --repo /media/disk/backup ls latest:/home/me/Documents',
    'holdfast --repo /media/disk/backup restore latest --target ~/restored',
  ],
};

/** What a line of help may be long. */
const lineLength = 110;

/** In two columns. */
function pairs(list: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...list.map(([name]) => name.length));
  return list.map(([name, meaning]) => `  ${name.padEnd(width)}  ${meaning}`);
}

/** As it stands below the program's help. */
export function overviewText({ about, places, environment, exitCodes: codes, examples }: Overview = overview): string {
  const codeLines: string[] = [];
  for (const [code, meaning] of codes) {
    const last = codeLines.at(-1);
    const item = `${code} ${meaning}`;
    if (last !== undefined && last.length + 3 + item.length <= lineLength) codeLines[codeLines.length - 1] = `${last} · ${item}`;
    else codeLines.push(`  ${item}`);
  }
  return [
    '',
    about,
    '',
    'A repository is a folder, or:',
    ...pairs(places),
    '',
    'Environment:',
    ...pairs(environment),
    '',
    'Exit codes:',
    ...codeLines,
    '',
    'Examples:',
    ...examples.map((example) => `  ${example}`),
  ].join('\n');
}
