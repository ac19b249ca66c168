/** A scripted service on a message bus of its own, for services of the desktop that need more of a machine than tests have. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { socketsOf } from '../../src/platform/dbus/connection.ts';
import { type DbusValue, decodeMessage, encodeMessage, type Message, messageTypes } from '../../src/platform/dbus/wire.ts';

/** What a call is answered with: values of a signature, the name of an error, or never. */
export type Answer = { readonly signature: string; readonly body: readonly DbusValue[] } | { readonly errorName: string } | 'never';

/**
 * Starts a bus in a folder of its own, where it also looks for services to start (`NAME.service`). Whoever starts it ends it.
 */
export async function spawnBus(folder: string, env: Readonly<Record<string, string>>): Promise<{ address: string; bus: ChildProcess }> {
  const file = join(folder, 'bus.conf');
  writeFileSync(
    file,
    `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir=${folder}</listen><servicedir>${folder}</servicedir><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`,
  );
  const bus = spawn('dbus-daemon', [`--config-file=${file}`, '--nofork', '--print-address=1'], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [address] = (await once(createInterface({ input: bus.stdout }), 'line')) as [string];
  return { address, bus };
}

export async function endProcess(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** Starts a bus, until the running test has finished. Returns its address. */
export async function startBus(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bus-'));
  const { address, bus } = await spawnBus(folder, { PATH: process.env.PATH ?? '' });
  onTestFinished(async () => {
    await endProcess(bus);
    rmSync(folder, { recursive: true });
  });
  return address;
}

/** Offers `name` on the bus and answers its calls; what is called is kept, as `MEMBER PATH` and the texts of its values. */
export async function offer(address: string, name: string, answer: (call: Message) => Answer): Promise<string[]> {
  const socket = connect({ path: socketsOf(address)[0] as string });
  onTestFinished(() => void socket.destroy());
  const calls: string[] = [];
  const bus = {
    destination: 'org.freedesktop.DBus',
    path: '/org/freedesktop/DBus',
    interface: 'org.freedesktop.DBus',
    type: messageTypes.call,
  };
  let serial = 2;
  const ready = Promise.withResolvers<void>();
  let received: Buffer | undefined;
  socket.on('data', (piece: Buffer) => {
    if (received === undefined) {
      received = Buffer.alloc(0);
      socket.write('BEGIN\r\n');
      socket.write(encodeMessage({ ...bus, member: 'Hello', serial: 1, body: [] }));
      socket.write(encodeMessage({ ...bus, member: 'RequestName', serial: 2, signature: 'su', body: [name, 0] }));
      return;
    }
    received = Buffer.concat([received, piece]);
    for (let next = decodeMessage(received); next; next = decodeMessage(received)) {
      received = received.subarray(next.length);
      const { message } = next;
      if (message.replySerial === 2) ready.resolve();
      if (message.type !== messageTypes.call) continue;
      calls.push([message.member, message.path, ...message.body.map((each) => JSON.stringify(each))].join(' '));
      const said = answer(message);
      if (said === 'never') continue;
      const reply = { destination: message.sender ?? '', replySerial: message.serial, serial: ++serial };
      socket.write(
        encodeMessage(
          'errorName' in said
            ? { ...reply, type: messageTypes.error, errorName: said.errorName, signature: 's', body: ['as scripted'] }
            : { ...reply, type: messageTypes.reply, signature: said.signature, body: said.body },
        ),
      );
    }
  });
  socket.write(`\0AUTH EXTERNAL ${Buffer.from(String(process.getuid?.() ?? 0)).toString('hex')}\r\n`);
  await ready.promise;
  return calls;
}
