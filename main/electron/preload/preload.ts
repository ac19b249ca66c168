/**
 * Runs beside the page, in the sandbox: hands it the few things of desktop.ts and nothing else. What the page says is not trusted here; the
 * shell looks at every call. Bundled as CommonJS, since the sandbox takes nothing else.
 */
import { contextBridge, ipcRenderer, webUtils } from 'electron';
import type { DesktopAnswer, DesktopCall, DesktopInput, DesktopOutput, UpdateState } from '../../../src/contract/desktop-calls.ts';
import { desktopChannels as channels } from '../../../src/contract/desktop-channels.ts';
import { type DesktopBridge, portMessage } from '../../../src/contract/desktop.ts';

async function call<C extends DesktopCall>(name: C, input: DesktopInput<C>): Promise<DesktopOutput<C>> {
  const answer = (await ipcRenderer.invoke(channels.call, name, input)) as DesktopAnswer;
  // Only plain objects cross to the page whole: an Error would lose its code.
  if ('error' in answer) return Promise.reject(answer.error);
  return answer.value as DesktopOutput<C>;
}

function on<T>(channel: string, listener: (value: T) => void): () => void {
  const heard = (_: unknown, value: T): void => listener(value);
  ipcRenderer.on(channel, heard);
  return () => ipcRenderer.off(channel, heard);
}

// The port goes to the page by a message to its window: the bridge cannot carry one.
ipcRenderer.on(channels.port, ({ ports }) => window.postMessage(portMessage, window.location.origin, [...ports]));

const bridge: DesktopBridge = {
  requestPort: () => ipcRenderer.send(channels.port),
  pathOf: (file) => {
    try {
      return webUtils.getPathForFile(file as File);
    } catch {
      return '';
    }
  },
  chooseFolder: async (title) => (await call('chooseFolders', { title, several: false }))[0] ?? null,
  chooseFolders: (title) => call('chooseFolders', { title, several: true }),
  chooseFile: (title) => call('chooseFile', { title }),
  chooseNewFile: (title, name) => call('chooseNewFile', { title, name }),
  showInFolder: (path) => void call('showInFolder', { path }).catch(() => {}),
  openFolder: (path) => call('openFolder', { path }),
  loginItem: () => call('loginItem', undefined),
  setLoginItem: (enabled) => call('setLoginItem', { enabled }),
  update: () => call('update', undefined),
  lookForUpdate: () => call('lookForUpdate', undefined),
  installUpdate: () => call('installUpdate', undefined),
  onUpdate: (listener) => on<UpdateState>(channels.update, listener),
  onGo: (listener) => on<string>(channels.go, listener),
};

contextBridge.exposeInMainWorld('holdfast', bridge);
