/** Whether what goes over the network costs by its amount. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { hasCode } from '../../contract/errors.ts';
import { systemBusAddress, withBus } from '../dbus/connection.ts';

export type Metered = 'yes' | 'no' | 'unknown';

const networkManager = {
  destination: 'org.freedesktop.NetworkManager',
  path: '/org/freedesktop/NetworkManager',
  interface: 'org.freedesktop.NetworkManager',
};

/** NMMetered of NetworkManager: what a person said, and what it guesses (a telephone's hot spot says that it is one). */
const byNetworkManager: Readonly<Record<number, Metered>> = { 1: 'yes', 2: 'no', 3: 'yes', 4: 'no' };

const costScript =
  '[Windows.Networking.Connectivity.NetworkInformation, Windows, ContentType = WindowsRuntime]::GetInternetConnectionProfile().GetConnectionCost().NetworkCostType';

/**
 * Of the connection to the internet: on Linux as NetworkManager knows it, on Windows as its settings say; macOS tells nobody. Throws
 * `cancelled` only: what cannot be found out is unknown.
 */
export async function networkMetered(
  signal?: AbortSignal,
  { platform, env }: { platform: NodeJS.Platform; env: Readonly<Record<string, string | undefined>> } = process,
): Promise<Metered> {
  try {
    if (platform === 'win32') {
      const { stdout } = await promisify(execFile)('powershell.exe', ['-NoProfile', '-NonInteractive', '-Command', costScript], {
        windowsHide: true,
      });
      return byCostType(stdout);
    }
    if (platform !== 'linux') return 'unknown';
    return await withBus(systemBusAddress(env), signal, async (bus) => {
      if (!(await bus.offers(networkManager.destination, signal))) return 'unknown';
      return byNetworkManager[Number(await bus.property(networkManager, 'Metered', signal))] ?? 'unknown';
    });
  } catch (error) {
    if (hasCode(error, 'cancelled')) throw error;
    return 'unknown';
  }
}

/** NetworkCostType of Windows. */
export function byCostType(text: string): Metered {
  const type = text.trim();
  if (type === 'Unrestricted') return 'no';
  return type === 'Fixed' || type === 'Variable' ? 'yes' : 'unknown';
}
