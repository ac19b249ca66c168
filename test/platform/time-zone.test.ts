import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { computerZone } from '../../src/platform/time-zone.ts';
import { scratch } from '../support/tree-literal.ts';

const own = new Intl.DateTimeFormat().resolvedOptions().timeZone;

describe('the zone of the computer', () => {
  it('is read anew from where the system’s link leads', () => {
    vi.stubEnv('TZ', undefined);
    const link = join(scratch(), 'localtime');
    for (const zone of ['Asia/Kathmandu', 'America/Argentina/Buenos_Aires', 'UTC']) {
      symlinkSync(`../usr/share/zoneinfo/${zone}`, link);
      expect(computerZone(link)).toBe(zone);
      rmSync(link);
    }
  });

  it('is what the environment says', () => {
    vi.stubEnv('TZ', ':Australia/Lord_Howe');
    expect(computerZone()).toBe('Australia/Lord_Howe');
  });

  it('is Node’s where nothing else says', () => {
    vi.stubEnv('TZ', 'Nowhere/At_All');
    const folder = scratch();
    writeFileSync(join(folder, 'copied'), '');
    for (const name of ['absent', 'copied']) expect(computerZone(join(folder, name))).toMatch(/\w/);
    vi.stubEnv('TZ', undefined);
    expect(computerZone(join(folder, 'absent'))).toBe(own);
  });
});
