/**
 * What the desktop shell's preload script gives the page as `window.holdfast`. In a browser it is not there: everything in it is a
 * convenience, and the same can be done without.
 */
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
  /** Shows a file or folder of this computer in its file manager. */
  readonly showInFolder: (path: string) => void;
}

/** The data of the window message that carries a port to the service. */
export const portMessage = 'holdfast:port';
