/**
 * One SSH connection with up to four SFTP sessions in it: each is a program of its own on the server, so that one writes to its
 * disk while another takes data, and each has a window of its own.
 *
 * It promises what {@link SshConnection} does.
 */
import type { SFTPWrapper } from 'ssh2';
import { SftpChannel } from './channel.ts';
import { type Hop, SshConnection, type SshOptions } from './ssh-connection.ts';

export interface ConnectionOptions extends Omit<SshOptions, 'isJump'> {
  /** The servers on the way there, each connected to from the one before it; mostly none. */
  readonly jumps: readonly Hop[];
}

const mostChannels = 4;

export class SftpConnection {
  readonly #ssh: SshConnection;
  readonly #channels: SftpChannel[] = [];
  #isOpening = false;
  #mostChannels = mostChannels;

  /** Resolves when the server has let one in and has an SFTP session ready. Aborting the signal meanwhile ends it. */
  static async open({ jumps, ...options }: ConnectionOptions, signal: AbortSignal): Promise<SftpConnection> {
    let through: SshConnection | undefined;
    for (const jump of jumps) through = await SshConnection.open({ ...options, ...jump, isJump: true }, signal, through);
    const ssh = await SshConnection.open({ ...options, isJump: false }, signal, through);
    const connection = new SftpConnection(ssh);
    connection.#channels.push(await ssh.orEnd(signal, () => connection.#openChannel()));
    return connection;
  }

  private constructor(ssh: SshConnection) {
    this.#ssh = ssh;
    ssh.onIdle = () => void this.#channels[0]?.ping().catch(() => {});
  }

  get isOpen(): boolean {
    return this.#ssh.ending === undefined;
  }

  /** Calls `work` with the session that has the least to do. */
  async use<T>(work: (channel: SftpChannel) => Promise<T>): Promise<T> {
    if (this.#ssh.ending) throw this.#ssh.ending;
    const channel = this.#channels.reduce((least, each) => (each.users < least.users ? each : least));
    if (channel.users > 0) this.#openAnother();
    channel.users++;
    try {
      return await work(channel);
    } finally {
      channel.users--;
    }
  }

  close(): Promise<void> {
    return this.#ssh.close();
  }

  async #openChannel(): Promise<SftpChannel> {
    const ssh = this.#ssh;
    const sftp = await ssh.call<SFTPWrapper>((done) => ssh.client.sftp((error, opened) => done(error, opened)));
    // A session that ends takes what was asked of it with it, and says nothing: the connection is begun anew.
    sftp.on('error', (error: Error) => ssh.end(ssh.notUnderstood(error.message)));
    sftp.on('close', () => ssh.end(new Error('the server ended the SFTP session')));
    return new SftpChannel(sftp, ssh.call);
  }

  /** Beside what goes on; a server that allows no more sessions is not asked again. */
  #openAnother(): void {
    if (this.#isOpening || this.#channels.length >= this.#mostChannels) return;
    this.#isOpening = true;
    this.#openChannel().then(
      (channel) => {
        this.#channels.push(channel);
        this.#isOpening = false;
      },
      () => (this.#mostChannels = this.#channels.length),
    );
  }
}
