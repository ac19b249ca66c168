/**
 * What opens Google's Cloud Storage, under the names that Google's own programs and restic give it: an access token, or a file
 * of JSON, either of a service account or of a person (as `gcloud auth application-default login` writes it), or, if that is wanted,
 * what a machine of Google's works for.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../../contract/errors.ts';
import type { Credentials } from '../credentials.ts';
import { wantsMachineIdentity } from '../objects/machine-token.ts';

export type GcsIdentity =
  /** Somebody has asked for it and gives it to us; it is of use for an hour at most. */
  | { readonly kind: 'token'; readonly token: string }
  | {
      readonly kind: 'service-account';
      readonly email: string;
      readonly key: KeyObject;
      readonly keyId: string | undefined;
      /** Where tokens are to be had. */
      readonly tokenServer: URL;
    }
  | {
      readonly kind: 'person';
      readonly clientId: string;
      readonly clientSecret: string;
      readonly refreshToken: string;
      readonly tokenServer: URL;
    }
  /** The account that this machine of Google's works for. */
  | { readonly kind: 'machine'; readonly tokenServer: URL };

export interface GcsAccess {
  readonly identity: GcsIdentity;
  /** Whose a new bucket will be. */
  readonly project: string | undefined;
}

const usualTokenServer = 'https://oauth2.googleapis.com/token';
/** What machines of Google's know their metadata server by, and the variable by which Google's programs are told of another. */
const metadataHost = 'metadata.google.internal';
const metadataVariable = 'GCE_METADATA_HOST';
const fileVariable = 'GOOGLE_APPLICATION_CREDENTIALS';
/** For words. */
export const gcsVariables = `${fileVariable} (a file) or GOOGLE_ACCESS_TOKEN`;

/** Throws `credentials-missing`, `input-unreadable`, `bad-usage` for a file that is none of these; none repeats a secret. */
export function findAccess(credentials: Credentials, location: string): GcsAccess {
  const project = credentials.get('GOOGLE_PROJECT_ID');
  const token = credentials.get('GOOGLE_ACCESS_TOKEN');
  if (token !== undefined) {
    if (!/^[\x21-\x7e]+$/.test(token))
      fail('bad-usage', { problem: 'GOOGLE_ACCESS_TOKEN is no access token.', guidance: 'Get one with “gcloud auth print-access-token”.' });
    return { identity: { kind: 'token', token }, project };
  }
  if (wantsMachineIdentity(credentials)) return { identity: { kind: 'machine', tokenServer: metadataServer(credentials) }, project };
  const named = credentials.get(fileVariable);
  const home = credentials.get('HOME', 'USERPROFILE');
  const file = named ?? (home === undefined ? undefined : join(home, '.config/gcloud/application_default_credentials.json'));
  const missing = (): never => fail('credentials-missing', { location, what: 'the key of a service account', variables: gcsVariables });
  if (file === undefined) return missing();
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (named === undefined) return missing();
    return fail('input-unreadable', { path: file, purpose: `which ${fileVariable} names`, cause: (error as Error).message }, error);
  }
  const { identity, ownProject } = identityIn(text, file);
  return { identity, project: project ?? ownProject };
}

function metadataServer(credentials: Credentials): URL {
  const host = credentials.get(metadataVariable) ?? metadataHost;
  const address = `http://${host}/`;
  if (/^[A-Za-z0-9.:[\]-]+$/.test(host) && URL.canParse(address)) return new URL(address);
  return fail('bad-usage', {
    problem: `${metadataVariable} is no name of a server.`,
    guidance: `Leave it out: it usually is ${metadataHost}.`,
  });
}

function identityIn(text: string, file: string): { readonly identity: GcsIdentity; readonly ownProject: string | undefined } {
  const wrong = (what: string): never =>
    fail('bad-usage', {
      problem: `${file}, which ${fileVariable} names, ${what}.`,
      guidance: 'Make a JSON key for the service account in the Google Cloud console, and name its file.',
    });
  let held: unknown;
  try {
    held = JSON.parse(text);
  } catch {
    return wrong('holds no JSON');
  }
  const get = (name: string): string | undefined => {
    const value = typeof held === 'object' && held !== null ? (held as Record<string, unknown>)[name] : undefined;
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const must = (name: string): string => get(name) ?? wrong(`lacks ${name}`);
  const server = get('token_uri') ?? usualTokenServer;
  if (!URL.canParse(server) || !/^https?:$/.test(new URL(server).protocol)) return wrong('has a token_uri that is no address');
  const tokenServer = new URL(server);
  const type = get('type');
  if (type === 'authorized_user') {
    const identity = { clientId: must('client_id'), clientSecret: must('client_secret'), refreshToken: must('refresh_token') };
    return { identity: { kind: 'person', ...identity, tokenServer }, ownProject: get('quota_project_id') };
  }
  if (type !== 'service_account') return wrong('is no key of a service account');
  let key: KeyObject;
  try {
    key = createPrivateKey(must('private_key'));
  } catch {
    return wrong('holds a private key that cannot be used');
  }
  if (key.asymmetricKeyType !== 'rsa') return wrong('holds a private key that is not RSA');
  const identity = { kind: 'service-account', email: must('client_email'), key, keyId: get('private_key_id'), tokenServer } as const;
  return { identity, ownProject: get('project_id') };
}
