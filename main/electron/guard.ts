/**
 * What no page may do, whatever runs in it: leave the interface, open windows, embed others, ask the system for anything, load anything from
 * anywhere else. The renderer's sandbox is the first wall, the content security policy the second; this is the third.
 */
import { type App, type IpcMainEvent, type IpcMainInvokeEvent, type Session, session as sessions, type WebContents } from 'electron';
import { appOrigin } from './app-scheme.ts';

/** With which every window of the shell is made. */
export const safePreferences = {
  contextIsolation: true,
  sandbox: true,
  nodeIntegration: false,
  nodeIntegrationInWorker: false,
  nodeIntegrationInSubFrames: false,
  webSecurity: true,
  allowRunningInsecureContent: false,
  experimentalFeatures: false,
  webviewTag: false,
  navigateOnDragDrop: false,
  safeDialogs: true,
  spellcheck: false,
} as const;

/** For all pages that there will be. To be called before the first window. */
export function guardPages(app: Pick<App, 'on'>): void {
  app.on('web-contents-created', (_, contents) => guardContents(contents));
  guardSession(sessions.defaultSession);
}

function guardContents(contents: WebContents): void {
  contents.on('will-navigate', (event) => {
    if (!isOurs(event.url)) event.preventDefault();
  });
  contents.on('will-redirect', (event) => {
    if (!isOurs(event.url)) event.preventDefault();
  });
  contents.on('will-frame-navigate', (event) => {
    // The interface has no frames.
    if (!event.isMainFrame || !isOurs(event.url)) event.preventDefault();
  });
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
}

/** Copying text, such as that of an error, is all that the interface asks for. */
const granted: ReadonlySet<string> = new Set(['clipboard-sanitized-write']);

function guardSession(session: Session): void {
  session.setPermissionRequestHandler((contents, permission, decide, { requestingUrl }) =>
    decide(granted.has(permission) && isOurs(contents.getURL()) && isOurs(requestingUrl)),
  );
  session.setPermissionCheckHandler((_, permission, origin) => granted.has(permission) && isOurs(origin));
  session.setDevicePermissionHandler(() => false);
  session.setDisplayMediaRequestHandler((_, answer) => answer({}));
  session.webRequest.onBeforeRequest(({ url }, decide) => decide({ cancel: !mayLoad(url) }));
}

/** Whether an address is of the interface. */
const isOurs = (address: string): boolean => address === appOrigin || address.startsWith(`${appOrigin}/`);

/** What a page makes itself, such as a preview or a download, is not loaded from anywhere. */
const mayLoad = (address: string): boolean =>
  isOurs(address) || address.startsWith(`blob:${appOrigin}/`) || /^(data|devtools|chrome-extension):/.test(address);

/**
 * Whether a message comes from the interface itself: from the top frame of that window, showing a page of ours. A frame that is gone has
 * nobody who waits for an answer.
 */
export function isFromInterface({ sender, senderFrame }: IpcMainEvent | IpcMainInvokeEvent, window: WebContents | undefined): boolean {
  if (!window || sender !== window || !senderFrame || senderFrame !== window.mainFrame) return false;
  return senderFrame.origin === appOrigin && isOurs(senderFrame.url);
}
