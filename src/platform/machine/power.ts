/** Whether this computer runs on its battery. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface PowerState {
  /** A computer without a battery is on mains. */
  readonly source: 'mains' | 'battery' | 'unknown';
  /** How full the battery is, 0 to 100; of several, all together. Undefined without one, or when nobody knows. */
  readonly percent: number | undefined;
}

const unknown: PowerState = { source: 'unknown', percent: undefined };

/** Never fails: what cannot be found out is unknown. Cheap on Linux; on macOS and Windows it starts a program. */
export async function powerState(platform: NodeJS.Platform = process.platform): Promise<PowerState> {
  try {
    if (platform === 'darwin') return parsePmset((await promisify(execFile)('/usr/bin/pmset', ['-g', 'batt'])).stdout);
    if (platform === 'win32') return parseWindowsBatteries(await powerShell(batteriesScript));
    return await linuxPower();
  } catch {
    return unknown;
  }
}

/**
 * From a folder like /sys/class/power_supply. Source: Documentation/ABI/testing/sysfs-class-power of the kernel. Batteries of devices
 * (mice, headsets) do not count.
 */
export async function linuxPower(folder = '/sys/class/power_supply'): Promise<PowerState> {
  const batteries: { readonly status: string; readonly full: number; readonly now: number }[] = [];
  const mains: boolean[] = [];
  for (const name of await readdir(folder)) {
    const value = async (file: string): Promise<string> => (await readFile(join(folder, name, file), 'utf8').catch(() => '')).trim();
    const type = await value('type');
    if ((await value('scope')) === 'Device') continue;
    if (type === 'Mains' || type === 'USB' || type === 'Wireless') mains.push((await value('online')) !== '0');
    if ((type !== 'Battery' && type !== 'UPS') || (await value('present')) === '0') continue;
    const percent = numberIn(await value('capacity'));
    // In µWh or µAh; where neither is told, every battery counts the same.
    const full = numberIn(await value('energy_full')) ?? numberIn(await value('charge_full')) ?? 1;
    batteries.push({ status: await value('status'), full, now: percent === undefined ? Number.NaN : (percent / 100) * full });
  }
  if (batteries.length === 0) return { source: 'mains', percent: undefined };
  const whole = batteries.reduce((sum, { full }) => sum + full, 0);
  const percent = Math.round((100 * batteries.reduce((sum, { now }) => sum + now, 0)) / whole);
  return {
    source: sourceOf(
      mains,
      batteries.map(({ status }) => status),
    ),
    percent: Number.isNaN(percent) ? undefined : percent,
  };
}

/** What the batteries do counts where there is no word of a mains adapter, and where USB could be input or output. */
function sourceOf(mains: readonly boolean[], statuses: readonly string[]): PowerState['source'] {
  if (statuses.includes('Discharging')) return 'battery';
  if (mains.includes(true) || statuses.some((status) => status === 'Charging' || status === 'Full' || status === 'Not charging'))
    return 'mains';
  return mains.length > 0 ? 'battery' : 'unknown';
}

const numberIn = (text: string): number | undefined => (/^\d+$/.test(text) ? Number(text) : undefined);

/** What `pmset -g batt` of macOS prints. */
export function parsePmset(text: string): PowerState {
  const from = /^Now drawing from '(.*)'/m.exec(text)?.[1];
  const percent = numberIn(/-InternalBattery.*?\t(\d+)%/.exec(text)?.[1] ?? '');
  return { source: from === 'AC Power' ? 'mains' : from === 'Battery Power' ? 'battery' : 'unknown', percent };
}

const batteriesScript = 'ConvertTo-Json -Compress @(Get-CimInstance Win32_Battery | Select-Object BatteryStatus, EstimatedChargeRemaining)';

/** What that script prints. Win32_Battery, BatteryStatus: 1 discharging, 4 and 5 low and critical, all others on mains. */
export function parseWindowsBatteries(json: string): PowerState {
  const batteries = [
    JSON.parse(json.replace(/^\ufeff/, '')) as { BatteryStatus: number; EstimatedChargeRemaining: number | null }[],
  ].flat();
  if (batteries.length === 0) return { source: 'mains', percent: undefined };
  const charges = batteries.map(({ EstimatedChargeRemaining }) => EstimatedChargeRemaining ?? Number.NaN);
  const percent = Math.round(charges.reduce((sum, each) => sum + each, 0) / charges.length);
  const drains = batteries.some(({ BatteryStatus }) => [1, 4, 5].includes(BatteryStatus));
  return { source: drains ? 'battery' : 'mains', percent: Number.isNaN(percent) ? undefined : percent };
}

async function powerShell(script: string): Promise<string> {
  return (await promisify(execFile)('powershell.exe', ['-NoProfile', '-NonInteractive', '-Command', script], { windowsHide: true })).stdout;
}
