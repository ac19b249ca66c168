/**
 * A small SFTP server that does as it is told: it keeps its files in memory, knows no extension of the protocol, and answers, breaks
 * off or falls silent where a test wants it to.
 */
import { createServer, type Server as TcpServer, type Socket } from 'node:net';
import ssh2, { type AuthContext, type AuthenticationType, type Connection, type SFTPWrapper } from 'ssh2';

export type SftpRequest =
  | 'OPEN'
  | 'READ'
  | 'WRITE'
  | 'FSTAT'
  | 'CLOSE'
  | 'OPENDIR'
  | 'READDIR'
  | 'STAT'
  | 'REMOVE'
  | 'RENAME'
  | 'MKDIR'
  | 'REALPATH';

/** A number is the status to answer with, with words of the server's own. */
export type Meeting = number | { readonly status: number; readonly words: string } | 'usual' | 'silence' | 'reset' | 'end of session';

interface Open {
  readonly path: string;
  /** Of a folder that is being listed: what is left. */
  names: { name: string; isFolder: boolean; size: number }[];
}

export const oddUser = { username: 'me', password: 'pa:ss wörd' };

const hostKey = ssh2.utils.generateKeyPairSync('ed25519');
const fileMode = 0o100600;
const folderMode = 0o040700;
const flags = { write: 2, exclusive: 32 };

export class OddSftp {
  readonly files = new Map<string, Buffer>();
  readonly folders = new Set<string>(['.', '/']);
  /** `READ path`, in the order in which they came. */
  readonly requests: string[] = [];
  /** Called for each request; `count` is how many of this kind came so far, with this one. */
  meet: (request: SftpRequest, path: string, count: number) => Meeting = () => 'usual';
  /** What comes of an attempt to sign in. */
  admit: (attempt: AuthContext) => void = (attempt) => {
    if (attempt.method === 'password' && attempt.username === oddUser.username && attempt.password === oddUser.password) attempt.accept();
    else attempt.reject(this.methods);
  };
  methods: AuthenticationType[] = ['password'];
  /** Takes the place of what an accepted connection gets. */
  greet: ((socket: Socket) => void) | undefined;
  /** Whether a rename replaces what is there. */
  replaces = false;
  /** Most bytes that it gives at once. */
  mostBytes = Number.POSITIVE_INFINITY;
  /** How many sessions a connection may have. */
  sessions = Number.POSITIVE_INFINITY;
  connections = 0;
  readonly #counts = new Map<SftpRequest, number>();
  readonly #sockets = new Set<Socket>();
  #server: TcpServer | undefined;
  port = 0;

  static async start(): Promise<OddSftp> {
    const odd = new OddSftp();
    await odd.listen();
    return odd;
  }

  /** On the same port as before, if it was stopped. */
  async listen(): Promise<void> {
    const server = createServer({ noDelay: true }, (socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => this.#sockets.delete(socket));
      if (this.greet) this.greet(socket);
      else this.#serve(socket);
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as { port: number }).port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    this.breakAll();
    await closed;
  }

  breakAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #serve(socket: Socket): void {
    const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (connection: Connection) => {
      let sessions = 0;
      connection.on('error', () => {});
      connection.on('authentication', (attempt) => this.admit(attempt));
      connection.on('session', (accept, reject) => {
        if (++sessions > this.sessions) return reject();
        accept().on('sftp', (acceptSftp) => this.#speak(acceptSftp(), socket));
      });
    });
    server.injectSocket(socket);
  }

  #speak(sftp: SFTPWrapper, socket: Socket): void {
    const { STATUS_CODE } = ssh2.utils.sftp;
    const open = new Map<number, Open>();
    let handles = 0;
    const handleFor = (each: Open): Buffer => {
      const handle = Buffer.alloc(4);
      handle.writeUInt32BE(++handles);
      open.set(handles, each);
      return handle;
    };
    const opened = (handle: Buffer): Open => open.get(handle.readUInt32BE(0)) ?? { path: '', names: [] };
    /** Answers as usual, with the status that `usual` gives if it gives one, or as the test wants it. */
    const answer = (request: SftpRequest, id: number, path: string, usual: () => number | undefined): void => {
      this.requests.push(`${request} ${path}`);
      const count = (this.#counts.get(request) ?? 0) + 1;
      this.#counts.set(request, count);
      const met = this.meet(request, path, count);
      if (met === 'silence') return;
      if (met === 'reset') return void socket.resetAndDestroy();
      if (met === 'end of session') return sftp.end();
      if (met === 'usual') {
        const code = usual();
        if (code !== undefined) sftp.status(id, code);
      } else if (typeof met === 'number') sftp.status(id, met);
      else sftp.status(id, met.status, met.words);
    };
    const attributes = (
      path: string,
    ): { mode: number; uid: number; gid: number; size: number; atime: number; mtime: number } | undefined => {
      const file = this.files.get(path);
      if (!file && !this.folders.has(path)) return undefined;
      const time = 1_700_000_000;
      return { mode: file ? fileMode : folderMode, uid: 0, gid: 0, size: file?.length ?? 0, atime: time, mtime: time };
    };
    const stat = (id: number, path: string): number | undefined => {
      const found = attributes(path);
      if (!found) return STATUS_CODE.NO_SUCH_FILE;
      sftp.attrs(id, found);
      return undefined;
    };
    sftp.on('OPEN', (id, path, asked) =>
      answer('OPEN', id, path, () => {
        if (asked & flags.write) {
          if (!this.folders.has(parentOf(path))) return STATUS_CODE.NO_SUCH_FILE;
          if (asked & flags.exclusive && this.files.has(path)) return STATUS_CODE.FAILURE;
          this.files.set(path, Buffer.alloc(0));
        } else if (this.folders.has(path)) return STATUS_CODE.FAILURE;
        else if (!this.files.has(path)) return STATUS_CODE.NO_SUCH_FILE;
        sftp.handle(id, handleFor({ path, names: [] }));
        return undefined;
      }),
    );
    sftp.on('READ', (id, handle, offset, length) =>
      answer('READ', id, opened(handle).path, () => {
        const content = this.files.get(opened(handle).path);
        if (!content) return STATUS_CODE.FAILURE;
        if (offset >= content.length) return STATUS_CODE.EOF;
        sftp.data(id, content.subarray(offset, offset + Math.min(length, this.mostBytes)));
        return undefined;
      }),
    );
    sftp.on('WRITE', (id, handle, offset, data) =>
      answer('WRITE', id, opened(handle).path, () => {
        const { path } = opened(handle);
        this.files.set(path, written(this.files.get(path) ?? Buffer.alloc(0), data, offset));
        return STATUS_CODE.OK;
      }),
    );
    sftp.on('FSTAT', (id, handle) => answer('FSTAT', id, opened(handle).path, () => stat(id, opened(handle).path)));
    sftp.on('STAT', (id, path) => answer('STAT', id, path, () => stat(id, path)));
    sftp.on('CLOSE', (id, handle) =>
      answer('CLOSE', id, opened(handle).path, () => {
        open.delete(handle.readUInt32BE(0));
        return STATUS_CODE.OK;
      }),
    );
    sftp.on('OPENDIR', (id, path) =>
      answer('OPENDIR', id, path, () => {
        if (!this.folders.has(path)) return STATUS_CODE.NO_SUCH_FILE;
        sftp.handle(id, handleFor({ path, names: this.#namesIn(path) }));
        return undefined;
      }),
    );
    sftp.on('READDIR', (id, handle) =>
      answer('READDIR', id, opened(handle).path, () => {
        const some = opened(handle).names.splice(0, 50);
        if (some.length === 0) return STATUS_CODE.EOF;
        const entry = ({ name, isFolder, size }: Open['names'][number]): object => ({
          filename: name,
          longname: name,
          attrs: { mode: isFolder ? folderMode : fileMode, uid: 0, gid: 0, size, atime: 1_700_000_000, mtime: 1_700_000_000 },
        });
        sftp.name(id, some.map(entry) as Parameters<SFTPWrapper['name']>[1]);
        return undefined;
      }),
    );
    sftp.on('REMOVE', (id, path) =>
      answer('REMOVE', id, path, () => (this.files.delete(path) ? STATUS_CODE.OK : STATUS_CODE.NO_SUCH_FILE)),
    );
    sftp.on('RENAME', (id, from, to) =>
      answer('RENAME', id, from, () => {
        const content = this.files.get(from);
        if (!content) return STATUS_CODE.NO_SUCH_FILE;
        if (this.files.has(to) && !this.replaces) return STATUS_CODE.FAILURE;
        this.files.delete(from);
        this.files.set(to, content);
        return STATUS_CODE.OK;
      }),
    );
    sftp.on('MKDIR', (id, path) =>
      answer('MKDIR', id, path, () => {
        if (this.folders.has(path)) return STATUS_CODE.FAILURE;
        if (!this.folders.has(parentOf(path))) return STATUS_CODE.NO_SUCH_FILE;
        this.folders.add(path);
        return STATUS_CODE.OK;
      }),
    );
    sftp.on('REALPATH', (id, path) =>
      answer('REALPATH', id, path, () => {
        sftp.name(id, [{ filename: '/', longname: '/', attrs: {} }] as unknown as Parameters<SFTPWrapper['name']>[1]);
        return undefined;
      }),
    );
  }

  #namesIn(folder: string): Open['names'] {
    const inside = (path: string): boolean => path !== folder && parentOf(path) === folder;
    const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
    return [
      ...[...this.folders].filter(inside).map((path) => ({ name: nameOf(path), isFolder: true, size: 4096 })),
      ...Array.from(this.files, ([path, { length }]) => ({ path, length }))
        .filter(({ path }) => inside(path))
        .map(({ path, length }) => ({ name: nameOf(path), isFolder: false, size: length })),
    ];
  }
}

/** `old` with `data` at `offset`; memory is taken in larger and larger pieces. */
function written(old: Buffer, data: Buffer, offset: number): Buffer {
  const length = Math.max(old.length, offset + data.length);
  const hasRoom = old.byteOffset === 0 && old.buffer.byteLength >= length;
  const whole = hasRoom ? Buffer.from(old.buffer, 0, length) : Buffer.from(Buffer.alloc(2 * length + 10_000).buffer, 0, length);
  if (!hasRoom) old.copy(whole);
  data.copy(whole, offset);
  return whole;
}

const parentOf = (path: string): string => {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : path.slice(0, slash) || '/';
};
