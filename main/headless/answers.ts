/** Answers that are no files. */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ErrorCode, HoldfastError } from '../../src/contract/errors.ts';
import { protectingHeaders } from '../../src/service/rpc/interface-files.ts';

/** With every answer. */
export const safeHeaders: OutgoingHttpHeaders = { ...protectingHeaders, 'X-Frame-Options': 'DENY' };

export function answerText(response: ServerResponse, status: number, text: string): void {
  send(response, status, 'text/plain; charset=utf-8', `${text}\n`);
}

export function answerJson(response: ServerResponse, status: number, value: unknown, headers: OutgoingHttpHeaders = {}): void {
  send(response, status, 'application/json', JSON.stringify(value), headers);
}

const statuses: Partial<Record<ErrorCode, number>> = {
  'login-needed': 401,
  'login-refused': 401,
  'login-paused': 429,
  'request-invalid': 400,
};

/** The error whole, as it crosses other borders; of others, which may name files of this computer, nobody outside is told. */
export function answerError(response: ServerResponse, error: HoldfastError): void {
  const status = statuses[error.code];
  if (status === undefined) return answerText(response, 503, 'Holdfast cannot answer this at the moment. Its own output says why.');
  const { seconds } = error.context;
  answerJson(response, status, error, seconds === undefined ? {} : { 'Retry-After': String(seconds) });
}

function send(response: ServerResponse, status: number, type: string, body: string, headers: OutgoingHttpHeaders = {}): void {
  response.writeHead(status, {
    ...safeHeaders,
    'Cache-Control': 'no-store',
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    // What is still on its way of a refused request is not waited for.
    ...(status >= 400 ? { Connection: 'close' } : {}),
    ...headers,
  });
  response.end(body);
}

/** Instead of a WebSocket. */
export function refuseUpgrade(socket: Duplex, status: number): void {
  socket.on('error', () => {});
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
