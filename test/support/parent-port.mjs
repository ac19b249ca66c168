// Gives a process what a utility process of Electron has: `process.parentPort`. Messages wait until somebody listens.
import { EventEmitter } from 'node:events';

class ParentPort extends EventEmitter {
  /** @param {object} message */
  postMessage(message) {
    process.send?.(message);
  }
}
const port = new ParentPort();
/** @type {object[]} */
const waiting = [];
process.on('message', (/** @type {object} */ data) => {
  if (port.listenerCount('message') > 0) port.emit('message', { data, ports: [] });
  else waiting.push(data);
});
port.on('newListener', (name) => {
  if (name === 'message') queueMicrotask(() => waiting.splice(0).forEach((data) => port.emit('message', { data, ports: [] })));
});
// A utility process ends with the one that has started it.
process.on('disconnect', () => process.exit(1));
Object.defineProperty(process, 'parentPort', { value: port });
