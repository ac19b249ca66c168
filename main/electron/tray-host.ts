/** Whether there is a place for a tray icon: without one, a window that is only hidden could not be found again. */
import { DbusConnection, sessionBusAddress } from '../../src/platform/dbus/connection.ts';

const watcher = 'org.kde.StatusNotifierWatcher';

/**
 * macOS and Windows always have one. A Linux desktop has one when something on the person's bus shows the icons of programs; GNOME on
 * Debian and Fedora has nothing of the kind. Source: StatusNotifierItem specification of freedesktop.org. Never fails.
 */
export async function hasTray(platform: NodeJS.Platform, env: Readonly<Record<string, string | undefined>>): Promise<boolean> {
  if (platform !== 'linux') return true;
  const address = sessionBusAddress(env);
  if (address === undefined) return false;
  let bus: DbusConnection | undefined;
  try {
    bus = await DbusConnection.open(address);
    const [isShown] = await bus.call({
      destination: watcher,
      path: '/StatusNotifierWatcher',
      interface: 'org.freedesktop.DBus.Properties',
      member: 'Get',
      signature: 'ss',
      body: [watcher, 'IsStatusNotifierHostRegistered'],
    });
    return isShown === true;
  } catch {
    return false;
  } finally {
    bus?.close();
  }
}
