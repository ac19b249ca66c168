/**
 * Whether a server is the one that it was before.
 *
 * A key is looked up in the person's own `~/.ssh/known_hosts`, in the system's, and in Holdfast's. A server that is in none is
 * trusted at first use: its key is noted in Holdfast's file, and told. After that no other key is accepted, nor one of another
 * type, since whoever stands in between could offer that. Where only an authority is known that signs certificates for it, no key is
 * accepted: ssh2 cannot ask for certificates, and trust at first use is less than what the person has asked for.
 */
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../contract/errors.ts';
import { fingerprint, hostEntry, type KnownKey, knownKeys, shortType, typeOfBlob } from './known-hosts.ts';

export interface HostKeyRules {
  readonly host: string;
  readonly port: number;
  readonly server: string;
  readonly location: string;
  /** Files in OpenSSH's form; those that are not there hold nothing. */
  readonly files: readonly string[];
  /** The one of them in which new keys are noted. */
  readonly ownFile: string;
  /** Fingerprints, if only a key with one of these is right: then no file is looked at. */
  readonly pinned: readonly string[];
  readonly onNote?: ((text: string) => void) | undefined;
}

interface Known extends KnownKey {
  readonly file: string;
}

export class HostKeys {
  readonly #rules: HostKeyRules;
  /** What this run has accepted at first use; stands also where it could not be noted. */
  #accepted: Buffer | undefined;

  constructor(rules: HostKeyRules) {
    this.#rules = rules;
  }

  /** The types of the keys by which the server is known: those it should be asked for. */
  knownTypes(): string[] {
    const types = this.#known().flatMap(({ type, role }) => (role === 'own' ? [type] : []));
    if (this.#accepted) types.push(typeOfBlob(this.#accepted));
    return [...new Set(types)];
  }

  /** Undefined when the key is the right one, or the first; else why it is not: `host-key-changed`, `host-key-revoked` or `host-key-by-authority`. */
  judge(blob: Buffer): HoldfastError | undefined {
    const { pinned } = this.#rules;
    if (pinned.length > 0)
      return pinned.includes(fingerprint(blob)) ? undefined : this.#changed(blob, pinned.join(', '), 'HOLDFAST_SFTP_HOST_KEY');
    const known = this.#known();
    const revoked = known.find(({ role, blob: own }) => role === 'revoked' && own.equals(blob));
    if (revoked) {
      const { server, location } = this.#rules;
      return new HoldfastError('host-key-revoked', { server, location, key: describe(blob), path: revoked.file });
    }
    const expected = known.filter(({ role }) => role === 'own');
    if (expected.some((each) => each.blob.equals(blob)) || this.#accepted?.equals(blob)) return undefined;
    const [first] = expected.filter(({ type }) => type === typeOfBlob(blob)).concat(expected);
    if (first) return this.#changed(blob, describe(first.blob), `line ${first.line} of ${first.file}`);
    if (this.#accepted) return this.#changed(blob, describe(this.#accepted), this.#rules.ownFile);
    const authority = known.find(({ role }) => role === 'authority');
    if (authority) {
      const { server, location } = this.#rules;
      return new HoldfastError('host-key-by-authority', {
        server,
        location,
        key: describe(blob),
        where: `line ${authority.line} of ${authority.file}`,
      });
    }
    this.#acceptFirst(blob);
    return undefined;
  }

  #known(): Known[] {
    const { files, host, port } = this.#rules;
    return files.flatMap((file) => knownKeys(readIfThere(file), host, port).map((each) => ({ ...each, file })));
  }

  #acceptFirst(blob: Buffer): void {
    const { host, port, server, ownFile, onNote } = this.#rules;
    this.#accepted = blob;
    const seen = `${server} is connected to for the first time; its host key is ${describe(blob)}.`;
    try {
      mkdirSync(path.dirname(ownFile), { recursive: true, mode: 0o700 });
      appendFileSync(ownFile, `${hostEntry(host, port)} ${typeOfBlob(blob)} ${blob.toString('base64')}\n`, { mode: 0o600, flush: true });
      onNote?.(`${seen} From now on no other is accepted (noted in ${ownFile}).`);
    } catch (error) {
      onNote?.(`${seen} It could not be noted in ${ownFile} (${(error as Error).message}), so another one would be accepted next time.`);
    }
  }

  #changed(blob: Buffer, expected: string, where: string): HoldfastError {
    const { server, location } = this.#rules;
    return new HoldfastError('host-key-changed', { server, location, key: describe(blob), expected, where });
  }
}

const describe = (blob: Buffer): string => `${shortType(typeOfBlob(blob))} ${fingerprint(blob)}`;

/** A file that is there and cannot be read must not pass for one that knows nothing. Throws `input-unreadable`. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return '';
    throw new HoldfastError('input-unreadable', { path: file, purpose: 'the file of known host keys', cause: message }, { cause: error });
  }
}
