/**
 * A server of TLS in front of another by HTTP, which lets every request wait: how a destination far away behaves, apart from its
 * bandwidth.
 *
 *     node delaying-proxy.ts UPSTREAM-PORT CERTIFICATE KEY MILLISECONDS
 *
 * Prints its port, and after each line that it reads how many requests came since the one before. Ends with its standard input.
 */
import { readFileSync } from 'node:fs';
import { Agent, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { systemClock } from '../../src/platform/clock.ts';

const [port = '', certificate = '', key = '', delay = ''] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true });
let requests = 0;

async function pass(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
  requests += 1;
  await systemClock.sleep(Number(delay));
  // The headers go as they came, as pairs: the host is signed.
  const upstream = request({ agent, host: '127.0.0.1', port, method: incoming.method, path: incoming.url, headers: incoming.rawHeaders });
  upstream.on('response', (response) => {
    answer.writeHead(response.statusCode ?? 502, response.rawHeaders);
    if (incoming.method === 'HEAD') answer.end();
    else response.pipe(answer);
  });
  // Swift may send a body after the headers of an answer that must have none: then the answer has been given already.
  upstream.on('error', () => {
    if (!answer.writableEnded) answer.destroy();
  });
  incoming.pipe(upstream);
}

const secrets = { cert: readFileSync(certificate), key: readFileSync(key) };
const server = createServer(secrets, (incoming, answer) => void pass(incoming, answer));
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
createInterface(process.stdin)
  .on('line', () => {
    console.log(requests);
    requests = 0;
  })
  .on('close', () => process.exit(0));
