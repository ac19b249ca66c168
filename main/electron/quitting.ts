/** Ending the shell: asked about while a run is at work, and only when the service has written down where it stopped. */
import { type BrowserWindow, dialog } from 'electron';
import { type Known, keepsAwake } from './tray-state.ts';
import { type Language, wordsOf } from './words/words.ts';

/** Whether to quit: asked only where a run would be interrupted. */
export async function mayQuit(known: Known, language: Language, parent: BrowserWindow | undefined): Promise<boolean> {
  if (!keepsAwake(known)) return true;
  const { message, detail, quit, stay } = wordsOf(language).quit;
  const options = { type: 'question' as const, message, detail, buttons: [stay, quit], defaultId: 0, cancelId: 0, noLink: true };
  const { response } = await (parent ? dialog.showMessageBox(parent, options) : dialog.showMessageBox(options));
  return response === 1;
}
