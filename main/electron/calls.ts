/** What the page may ask of the shell: each call is looked at, who sends it and what it says, before anything is done. */
import { statSync } from 'node:fs';
import { extname, isAbsolute } from 'node:path';
import { type BrowserWindow, dialog, type IpcMain, MessageChannelMain, type MessagePortMain, shell, type WebContents } from 'electron';
import {
  type DesktopAnswer,
  type DesktopCall,
  desktopCalls,
  type DesktopInput,
  type DesktopOutput,
} from '../../src/contract/desktop-calls.ts';
import { desktopChannels } from '../../src/contract/desktop-channels.ts';
import { fail, HoldfastError, toHoldfastError } from '../../src/contract/errors.ts';
import { isFromInterface } from './guard.ts';
import type { LoginItems } from './login-item.ts';
import type { Updates } from './updates.ts';

export interface CallsOptions {
  readonly platform: NodeJS.Platform;
  /** The window whose page may call. */
  readonly window: () => BrowserWindow | undefined;
  readonly loginItems: LoginItems;
  readonly updates: Pick<Updates, 'state' | 'look' | 'install'>;
  /** Joins a port with the service; closes it when that is away. */
  readonly givePort: (port: MessagePortMain) => void;
  /** Told of what others than the interface have tried. */
  readonly onRefused: (what: string) => void;
}

type Handlers = { readonly [C in DesktopCall]: (input: DesktopInput<C>) => Promise<DesktopOutput<C>> | DesktopOutput<C> };

export function answerCalls(ipc: Pick<IpcMain, 'handle' | 'on'>, options: CallsOptions): void {
  const { window, givePort, onRefused } = options;
  const handlers = handlersOf(options);
  const contents = (): WebContents | undefined => window()?.webContents;
  ipc.handle(desktopChannels.call, async (event, name: unknown, input: unknown): Promise<DesktopAnswer> => {
    if (!isFromInterface(event, contents())) {
      onRefused(`a call of ${String(name)} by ${event.senderFrame?.url ?? 'a frame that is gone'}`);
      return { error: new HoldfastError('request-invalid', { problem: 'it does not come from Holdfast’s own window' }).toJSON() };
    }
    try {
      return { value: await answer(handlers, name, input) };
    } catch (error) {
      return { error: toHoldfastError(error).toJSON() };
    }
  });
  ipc.on(desktopChannels.port, (event) => {
    if (!isFromInterface(event, contents())) return onRefused(`a wish for a port by ${event.senderFrame?.url ?? 'a frame that is gone'}`);
    const { port1, port2 } = new MessageChannelMain();
    givePort(port1);
    event.sender.postMessage(desktopChannels.port, null, [port2]);
  });
}

async function answer(handlers: Handlers, name: unknown, input: unknown): Promise<unknown> {
  if (typeof name !== 'string' || !Object.hasOwn(desktopCalls, name)) return fail('request-invalid', { problem: 'there is no such call' });
  const call = desktopCalls[name as DesktopCall];
  const given = call.input.safeParse(input);
  if (!given.success) return fail('request-invalid', { problem: given.error.issues.map(({ message }) => message).join('; ') });
  const handler = handlers[name as DesktopCall] as (input: unknown) => unknown;
  return call.output.parse(await handler(given.data));
}

function handlersOf({ platform, window, loginItems, updates }: CallsOptions): Handlers {
  const open = async (options: Electron.OpenDialogOptions): Promise<string[]> => {
    const parent = window();
    const { canceled, filePaths } = await (parent ? dialog.showOpenDialog(parent, options) : dialog.showOpenDialog(options));
    return canceled ? [] : filePaths;
  };
  return {
    chooseFolders: ({ title, several }) =>
      open({
        title,
        properties: ['openDirectory', 'createDirectory', 'showHiddenFiles', ...(several ? (['multiSelections'] as const) : [])],
      }),
    chooseFile: async ({ title }) => (await open({ title, properties: ['openFile', 'showHiddenFiles'] }))[0] ?? null,
    chooseNewFile: async ({ title, name }) => {
      const parent = window();
      // A name, not a way out of the folder that the dialog opens in.
      const options = { title, defaultPath: name.replaceAll(/[/\\]/g, '-') };
      const { canceled, filePath } = await (parent ? dialog.showSaveDialog(parent, options) : dialog.showSaveDialog(options));
      return canceled || filePath === '' ? null : filePath;
    },
    showInFolder: ({ path }) => shell.showItemInFolder(there(path)),
    openFolder: async ({ path }) => {
      const folder = there(path);
      // Opening anything else would be running it; so is a folder that macOS takes for a program or a document.
      if (!statSync(folder).isDirectory() || (platform === 'darwin' && extname(folder) !== '')) return shell.showItemInFolder(folder);
      const problem = await shell.openPath(folder);
      if (problem !== '') fail('folder-not-opened', { path, cause: problem });
    },
    loginItem: () => loginItems.get(),
    setLoginItem: ({ enabled }) => loginItems.set(enabled),
    update: () => updates.state,
    lookForUpdate: () => updates.look(),
    installUpdate: () => updates.install(),
  };
}

/** Throws `folder-not-opened`. */
function there(path: string): string {
  if (!isAbsolute(path)) return fail('request-invalid', { problem: 'a path must be absolute' });
  if (statSync(path, { throwIfNoEntry: false }) === undefined)
    return fail('folder-not-opened', { path, cause: 'it is not there any more' });
  return path;
}
