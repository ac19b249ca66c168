/** Opens `rclone:remote:path`, any place that the person's own rclone can reach. */
import { fail } from '../../contract/errors.ts';
import type { OpenKind } from '../kind.ts';
import { RestStorage } from '../rest/rest.ts';
import { RcloneClient } from './client.ts';

/** What rclone has no business to know. */
const ours = /^(HOLDFAST|RESTIC)_/;

/** Settings of rclone that may stand in a file of credentials, too. */
const rcloneNames = ['RCLONE_CONFIG', 'RCLONE_CONFIG_PASS'] as const;

export const openRclone: OpenKind = (remote, { credentials, clock, paces }) => {
  if (remote === '')
    return fail('bad-usage', { problem: 'It is not said which remote rclone shall use.', guidance: 'Write it as rclone:remote:path.' });
  const env: NodeJS.ProcessEnv = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
  for (const name of rcloneNames) {
    const value = credentials.get(name);
    if (value !== undefined) env[name] = value;
  }
  const location = `rclone:${withoutSettings(remote)}`;
  const program = credentials.get('HOLDFAST_RCLONE') ?? 'rclone';
  const client = new RcloneClient({ program, remote, env, location, clock, paces });
  return new RestStorage({ client, location, path: '/', clock, authorization: undefined, variables: 'the configuration of rclone' });
};

/** `:sftp,host=h,pass=p:path` with its settings, among which a password may be, left out. */
const withoutSettings = (remote: string): string => remote.replace(/^(:?[^,:/]+),.*:([^:]*)$/s, '$1,…:$2');
