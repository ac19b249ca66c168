/**
 * What the desktop shell's preload script gives the page as `window.holdfast`. In a browser it is not there: everything in it is a
 * convenience, and the same can be done without. What crosses is validated by the shell: see desktop-calls.ts.
 */
import type { LoginItem, UpdateState } from './desktop-calls.ts';

export interface DesktopBridge {
  /**
   * Asks for a port to the service. It comes as a message to the window whose data is {@link portMessage}, and closes when the service ends;
   * then this is called again.
   */
  readonly requestPort: () => void;
  /** The path of a file that was dropped on the window; '' for one that lies on no disk. */
  readonly pathOf: (file: object) => string;
  /** Asks the person for a folder with the system's own dialog; null when they think better of it. */
  readonly chooseFolder: (title: string) => Promise<string | null>;
  /** The same for several at once; none when they think better of it. */
  readonly chooseFolders: (title: string) => Promise<readonly string[]>;
  /** Asks for a file that is there, such as a key file or a recovery kit. */
  readonly chooseFile: (title: string) => Promise<string | null>;
  /** Asks where to write a file that is proposed to be called `name`. */
  readonly chooseNewFile: (title: string, name: string) => Promise<string | null>;
  /** Shows a file or folder of this computer in its file manager. */
  readonly showInFolder: (path: string) => void;
  /** Opens a folder of this computer in its file manager. Rejects with an error as errors.ts has them. */
  readonly openFolder: (path: string) => Promise<void>;
  readonly loginItem: () => Promise<LoginItem>;
  readonly setLoginItem: (enabled: boolean) => Promise<LoginItem>;
  readonly update: () => Promise<UpdateState>;
  readonly lookForUpdate: () => Promise<UpdateState>;
  /** Ends Holdfast and starts the new version. */
  readonly installUpdate: () => Promise<void>;
  /** Told of each change of what `update` says. Returns the function that stops it. */
  readonly onUpdate: (listener: (state: UpdateState) => void) => () => void;
  /** Told where the person wants to go: from the tray, the menu or a notification. Returns the function that stops it. */
  readonly onGo: (listener: (path: string) => void) => () => void;
}

/** The data of the window message that carries a port to the service. */
export const portMessage = 'holdfast:port';
