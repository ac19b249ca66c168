import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { joinPort } from '../../../main/electron/port-line.ts';
import { clientOverPort, openSocket } from '../../../src/service/rpc/client.ts';
import { MessagePortMain } from '../../support/fake-electron.ts';
import { connectFolder, createPlan, ended, startService } from '../../support/service.ts';
import { tree } from '../../support/tree-literal.ts';

async function joined() {
  const service = await startService();
  const { port1, port2 } = new MessageChannel();
  const { socket } = await openSocket(service.profile);
  joinPort(new MessagePortMain(port1) as never, socket);
  return { service, socket, port: port2, client: () => clientOverPort(port2) };
}

test('the page talks to the service as if it were connected itself: calls, errors, streams', async () => {
  const { service, client, socket } = await joined();
  const page = client();
  expect((await page.service.info()).pid).toBe(process.pid);
  await expect(page.destinations.look({ id: crypto.randomUUID() })).rejects.toMatchObject({ code: 'destination-not-found' });
  const stop = new AbortController();
  const events = await page.events({}, { signal: stop.signal });
  expect((await events.next()).value).toMatchObject({ event: { type: 'state' } });
  const destination = await connectFolder(service);
  const source = tree(service.folder, { files: { 'a.txt': 'hello' } });
  const plan = await createPlan(service, source, destination);
  const run = await page.runs.start({ plan: plan.id });
  expect((await ended(service, run.id)).status).toBe('succeeded');
  const types = new Set<string>();
  for await (const { event } of events) {
    types.add(event.type);
    if (event.type === 'run' && event.run.ended !== null) break;
  }
  expect(types).toContain('run');
  socket.terminate();
});

test('the end of either is the end of the other', async () => {
  const one = await joined();
  one.port.start();
  const portClosed = once(one.port, 'close');
  await one.service.close();
  await portClosed;
  const two = await joined();
  const socketClosed = once(two.socket, 'close');
  two.port.close();
  await socketClosed;
});

test('what no client of the service says ends the line', async () => {
  const { port, socket } = await joined();
  const closed = once(socket, 'close');
  port.postMessage({ not: 'a message' });
  await closed;
});
