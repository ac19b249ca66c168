/**
 * The keys that sign requests to S3: from the environment, or from the file that Amazon's own programs share
 * (`~/.aws/credentials`, by profile).
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fail } from '../../contract/errors.ts';
import type { Credentials } from '../credentials.ts';

export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Belongs to keys that expire. */
  readonly sessionToken: string | undefined;
}

export interface FoundKeys {
  /** Undefined when there are none. */
  readonly keys: S3Keys | undefined;
  /** The region that the person has set. */
  readonly region: string | undefined;
}

/** The names of what opens an S3 place, for words. */
export const keyVariables = 'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';

/**
 * Looks anew each time, so that keys that another program renews in the shared file are found.
 * Throws `bad-usage` for half a pair, a profile that is asked for and missing; `input-unreadable` for a file that is named
 * and cannot be read.
 */
export function findKeys(credentials: Credentials): FoundKeys {
  const named = {
    accessKeyId: credentials.get('AWS_ACCESS_KEY_ID'),
    secretAccessKey: credentials.get('AWS_SECRET_ACCESS_KEY'),
    sessionToken: credentials.get('AWS_SESSION_TOKEN'),
  };
  const shared = readShared(credentials, named.accessKeyId !== undefined || named.secretAccessKey !== undefined);
  const region = credentials.get('AWS_REGION', 'AWS_DEFAULT_REGION') ?? shared.region;
  return { keys: pairOf(named, 'the credentials') ?? pairOf(shared, `the profile ${shared.profile}`), region };
}

interface PerhapsKeys {
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: string | undefined;
  readonly sessionToken: string | undefined;
}

function pairOf({ accessKeyId, secretAccessKey, sessionToken }: PerhapsKeys, where: string): S3Keys | undefined {
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined;
  if (accessKeyId !== undefined && secretAccessKey !== undefined) return { accessKeyId, secretAccessKey, sessionToken };
  const missing = accessKeyId === undefined ? 'ID of the access key' : 'secret that belongs to the access key';
  return fail('bad-usage', { problem: `In ${where} the ${missing} is missing.`, guidance: `Give both ${keyVariables}.` });
}

interface Shared extends PerhapsKeys {
  readonly profile: string;
  readonly region: string | undefined;
}

/** `isOptional`: the keys stand elsewhere, so that only a region may still be of use. */
function readShared(credentials: Credentials, isOptional: boolean): Shared {
  const wanted = credentials.get('AWS_PROFILE', 'AWS_DEFAULT_PROFILE');
  const profile = wanted ?? 'default';
  const folder = join(credentials.get('HOME', 'USERPROFILE') ?? homedir(), '.aws');
  const named = credentials.get('AWS_SHARED_CREDENTIALS_FILE');
  const file = named ?? join(folder, 'credentials');
  const keys = readProfile(file, profile, named !== undefined && !isOptional);
  const config = readProfile(credentials.get('AWS_CONFIG_FILE') ?? join(folder, 'config'), profile, false);
  const get = (name: string): string | undefined => keys?.get(name) ?? config?.get(name);
  if (wanted !== undefined && !isOptional && !keys && !config)
    return fail('bad-usage', {
      problem: `There is no profile ${JSON.stringify(profile)} in ${file}.`,
      guidance: 'Set AWS_PROFILE to one that is there, or leave it out.',
    });
  return {
    profile,
    accessKeyId: get('aws_access_key_id'),
    secretAccessKey: get('aws_secret_access_key'),
    sessionToken: get('aws_session_token'),
    region: get('region'),
  };
}

/** The lines of one profile; undefined when the file (which must exist if so wanted) does not have it. */
function readProfile(file: string, profile: string, mustExist: boolean): ReadonlyMap<string, string> | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (!mustExist) return undefined;
    return fail('input-unreadable', { path: file, purpose: 'the shared file of keys', cause: (error as Error).message }, error);
  }
  let found: Map<string, string> | undefined;
  let isInside = false;
  for (const line of text.replace(/^\ufeff/, '').split(/\r?\n/)) {
    const section = /^\s*\[\s*(?:profile\s+)?(.*?)\s*\]/.exec(line);
    if (section) {
      isInside = section[1] === profile;
      if (isInside) found ??= new Map();
      continue;
    }
    // What is indented belongs to a setting above it.
    const setting = /^([A-Za-z0-9_]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (isInside && setting && setting[2] !== '') found!.set(setting[1].toLowerCase(), setting[2]);
  }
  return found;
}
