/** The computer's own affairs, passed on to the service: it has no ears for them in its process. And the computer stays awake during a run. */
import { powerMonitor, powerSaveBlocker } from 'electron';
import type { MachineNews } from '../../src/contract/machine.ts';

/** Tells of standby, of the end of it, and of mains and battery. Returns the function that stops it. */
export function listenToPower(tell: (news: MachineNews) => void): () => void {
  const listeners = (['suspend', 'resume', 'on-battery', 'on-ac'] as const).map((news) => [news, (): void => tell(news)] as const);
  // One signature for each name: all take nothing.
  const monitor: NodeJS.EventEmitter = powerMonitor;
  for (const [news, listener] of listeners) monitor.on(news, listener);
  return () => {
    for (const [news, listener] of listeners) monitor.off(news, listener);
  };
}

/** Keeps the computer from falling asleep by itself while it is wanted; the screen may go dark, and the person may close the lid. */
export class AwakeKeeper {
  #blocker: number | undefined;

  keep(isWanted: boolean): void {
    if (isWanted === (this.#blocker !== undefined)) return;
    if (this.#blocker === undefined) this.#blocker = powerSaveBlocker.start('prevent-app-suspension');
    else {
      powerSaveBlocker.stop(this.#blocker);
      this.#blocker = undefined;
    }
  }
}
