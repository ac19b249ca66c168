/** The time zone that the computer is set to now. */
import { readlinkSync } from 'node:fs';

/**
 * An IANA name. Node asks the system only once, so that a computer that travels would keep the zone that it started in: where the system
 * has a link to the zone's rules (Linux, macOS), that is read anew each time.
 * @param localtime the link, for tests
 */
export function computerZone(localtime = '/etc/localtime'): string {
  const named = process.env.TZ?.replace(/^:/, '');
  for (const name of [named, zoneOfLink(localtime)]) if (name !== undefined && isZone(name)) return name;
  // Where the environment names no zone that there is, Node has none either.
  return (new Intl.DateTimeFormat().resolvedOptions().timeZone as string | undefined) ?? 'UTC';
}

function zoneOfLink(localtime: string): string | undefined {
  try {
    return /\/zoneinfo\/(?:posix\/|right\/)?(.+)$/.exec(readlinkSync(localtime))?.[1];
  } catch {
    return undefined;
  }
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return name !== '';
  } catch {
    return false;
  }
}
