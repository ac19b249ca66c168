/** A service as a child of a Node process: both ends of the way between them. */
import { spawn } from 'node:child_process';
import { type ChildEnd, type HostChannel, hostedVariable, messageOf, type StartChild, type ToHost, type ToService } from './messages.ts';

/**
 * Starts `program` by this Node with these arguments; it shares the outputs. Where the system has sessions it gets one of its own, so that
 * neither Ctrl-C nor the end of the terminal reaches it but through its host.
 */
export function nodeChild(program: string, args: (isAgain: boolean) => readonly string[]): StartChild {
  return (listener, isAgain) => {
    const child = spawn(process.execPath, [...process.execArgv, program, ...args(isAgain)], {
      env: { ...process.env, [hostedVariable]: '1' },
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    let hasEnded = false;
    const end = (how: ChildEnd): void => {
      if (hasEnded) return;
      hasEnded = true;
      listener.onEnd(how);
    };
    // It could not be started, or a message could not be sent; of its end the next one tells.
    child.on('error', () => {
      if (child.pid === undefined) end({ code: 1, signal: null });
    });
    child.on('message', (received) => {
      const message = messageOf<ToHost>(received);
      if (message) listener.onMessage(message);
    });
    // Not 'exit': messages may still be on their way then. Nor 'close', for programs that it has started may hold the outputs.
    let isDisconnected = false;
    let how: ChildEnd | undefined;
    const settle = (): void => {
      if (isDisconnected && how) end(how);
    };
    child.on('disconnect', () => {
      isDisconnected = true;
      settle();
    });
    child.on('exit', (code, signal) => {
      how = { code, signal };
      settle();
    });
    return {
      send: (message) => {
        if (child.connected) child.send(message, () => {});
      },
      kill: () => void child.kill('SIGKILL'),
    };
  };
}

/** The way to the host of this process; undefined when nobody has started it as a service. To be called once. */
export function hostOfThisProcess(): HostChannel | undefined {
  const isHosted = process.env[hostedVariable] === '1' && process.connected;
  // What this process starts is no service.
  delete process.env[hostedVariable];
  if (!isHosted) return undefined;
  let isBusy = false;
  return {
    send(message) {
      // To a host that stands still no more signs of life than one pile up.
      if (!process.connected || (isBusy && message.type === 'beat')) return;
      isBusy = true;
      process.send!(message, undefined, {}, () => (isBusy = false));
    },
    listen(listener) {
      process.on('message', (received) => {
        const message = messageOf<ToService>(received);
        if (message) listener(message);
      });
    },
    onLost: (listener) => void process.once('disconnect', listener),
  };
}
