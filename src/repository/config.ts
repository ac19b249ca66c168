/** The config file: version, ID and chunker polynomial of a repository. */
import { randomBytes } from 'node:crypto';
import { HoldfastError } from '../contract/errors.ts';
import { isId } from './ids.ts';
import { formatPolynomial, parsePolynomial, randomPolynomial } from './polynomial.ts';

export interface Config {
  readonly version: 2;
  /** 64 hex digits. */
  readonly id: string;
  /** Hex digits without 0x. */
  readonly chunker_polynomial: string;
}

/** A new repository's config; `polynomial` is that of the repository whose chunks it shall share. */
export const newConfig = (polynomial?: string): Config => ({
  version: 2,
  id: randomBytes(32).toString('hex'),
  chunker_polynomial: formatPolynomial(polynomial === undefined ? randomPolynomial() : parsePolynomial(polynomial)),
});

/** Throws `repository-version` for another version, `config-invalid` for anything else that does not fit. */
export function parseConfig(text: Buffer): Config {
  let raw: Record<string, unknown>;
  try {
    raw = JSON.parse(text.toString('utf8')) as Record<string, unknown>;
  } catch (error) {
    throw new HoldfastError('config-invalid', { cause: 'it is not JSON' }, { cause: error });
  }
  const { version, id, chunker_polynomial: polynomial } = raw ?? {};
  if (typeof version !== 'number') throw new HoldfastError('config-invalid', { cause: 'it has no version' });
  if (version !== 2) throw new HoldfastError('repository-version', { version });
  if (!isId(id) || typeof polynomial !== 'string') throw new HoldfastError('config-invalid', { cause: 'a field is missing' });
  parsePolynomial(polynomial);
  return { version, id, chunker_polynomial: polynomial };
}
