import { once } from 'node:events';
import { type AddressInfo, connect, Server, type Socket } from 'node:net';
import { expect, test, vi } from 'vitest';
import { socketPair } from '../../src/platform/socket-pair.ts';

const readAll = async (socket: Socket): Promise<Buffer> => Buffer.concat((await socket.toArray()) as Buffer[]);

test('what is written into one comes out of the other, both ways, and so does the end', async () => {
  const [near, far] = await socketPair();
  const big = Buffer.alloc(3_000_000, 'n');
  near.end(big);
  far.end('from far');
  const [atFar, atNear] = await Promise.all([readAll(far), readAll(near)]);
  expect(atFar.equals(big)).toBe(true);
  expect(atNear.toString()).toBe('from far');
});

test('one that is destroyed ends the other', async () => {
  const [near, far] = await socketPair();
  far.resume();
  near.destroy();
  await once(far, 'close');
});

test('many at once are each with their own other end', async () => {
  const pairs = await Promise.all(Array.from({ length: 20 }, socketPair));
  const heard = await Promise.all(
    pairs.map(async ([near, far], i) => {
      near.end(String(i));
      return (await readAll(far)).toString();
    }),
  );
  expect(heard).toEqual(pairs.map((_, i) => String(i)));
  for (const [near, far] of pairs) for (const socket of [near, far]) socket.destroy();
});

test('strangers who connect first, whatever they say, are cut off and never are the other end', async () => {
  const strangers: Promise<unknown>[] = [];
  const { listen } = Server.prototype;
  const spy = vi.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server, ...given: unknown[]) {
    this.once('listening', () => {
      for (const words of ['', 'x', 'x'.repeat(32), 'x'.repeat(100)]) {
        const stranger = connect((this.address() as AddressInfo).port, '127.0.0.1');
        stranger.on('error', () => {}).resume();
        stranger.write(words);
        strangers.push(once(stranger, 'close'));
      }
    });
    return Reflect.apply(listen, this, given) as Server;
  });
  try {
    const [near, far] = await socketPair();
    near.end('ours');
    expect((await readAll(far)).toString()).toBe('ours');
    far.destroy();
    expect(strangers).toHaveLength(4);
    await Promise.all(strangers);
  } finally {
    spy.mockRestore();
  }
});
