/** The config file: version, ID and chunker polynomial of a repository. */
import { randomBytes } from 'node:crypto';
import { HoldfastError } from '../contract/errors.ts';
import { isId } from './ids.ts';
import { formatPolynomial, parsePolynomial, randomPolynomial } from './polynomial.ts';

/** What Holdfast works with is version 2. Version 1 (restic before 0.14) knows no compression; it is only opened to be upgraded. */
export type FormatVersion = 1 | 2;
export const currentVersion = 2;

export interface Config {
  readonly version: FormatVersion;
  /** 64 hex digits. */
  readonly id: string;
  /** Hex digits without 0x. */
  readonly chunker_polynomial: string;
}

/** A new repository's config; `polynomial` is that of the repository whose chunks it shall share. */
export const newConfig = (polynomial?: string): Config => ({
  version: currentVersion,
  id: randomBytes(32).toString('hex'),
  chunker_polynomial: formatPolynomial(polynomial === undefined ? randomPolynomial() : parsePolynomial(polynomial)),
});

/** Throws `repository-version` for a version that is not among `versions`, `config-invalid` for anything else that does not fit. */
export function parseConfig(text: Buffer, versions: readonly FormatVersion[] = [currentVersion]): Config {
  let raw: Record<string, unknown>;
  try {
    raw = JSON.parse(text.toString('utf8')) as Record<string, unknown>;
  } catch (error) {
    throw new HoldfastError('config-invalid', { cause: 'it is not JSON' }, { cause: error });
  }
  const { version: stored, id, chunker_polynomial: polynomial } = raw ?? {};
  if (typeof stored !== 'number') throw new HoldfastError('config-invalid', { cause: 'it has no version' });
  const version = versions.find((each) => each === stored);
  if (version === undefined) throw new HoldfastError('repository-version', { version: stored });
  if (!isId(id) || typeof polynomial !== 'string') throw new HoldfastError('config-invalid', { cause: 'a field is missing' });
  parsePolynomial(polynomial);
  return { version, id, chunker_polynomial: polynomial };
}

/** The text of a config that {@link parseConfig} has read, with another version; fields that nobody here knows stay. */
export const withVersion = (text: Buffer, version: FormatVersion): Buffer =>
  Buffer.from(JSON.stringify({ ...(JSON.parse(text.toString('utf8')) as object), version }));
