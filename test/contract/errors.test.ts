import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type ErrorCode,
  type ErrorContext,
  type ErrorJSON,
  errorCodes,
  errorFromJSON,
  fail,
  HoldfastError,
  hasCode,
  toHoldfastError,
} from '../../src/contract/errors.ts';

const id = '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef';

/** Something plausible for every word that a text may ask for. */
const plausible: ErrorContext = {
  account: 'repository /media/disk/backup',
  advice: 'Check the key.',
  address: '192.168.1.5:4711',
  asked: 'us-east-1',
  blob: id,
  bucket: 'my-backups',
  bytes: 1_048_576,
  cause: 'EIO: i/o error',
  destination: 'External disk',
  destinations: 'External disk, Cloud',
  detail: 'the file changed while it was read',
  entries: '5000000000',
  exclusive: true,
  expected: 4096,
  file: 'pack 0123456789ab',
  free: 1000,
  given: true,
  group: 'computer, /home/u',
  guidance: 'Write it as 10%.',
  host: 'computer',
  id: '01234567',
  isSignIn: true,
  item: '/home/u',
  keeps: true,
  key: '01234567',
  location: '/media/disk/backup',
  mountPoint: '/media/disk',
  name: 'report.txt',
  needed: 5000,
  noun: 'bucket',
  operation: 'read',
  option: '--max-unused',
  pack: id,
  path: '/home/u/report.txt',
  pid: 4711,
  place: 'https://elsewhere.example/backup/',
  plan: 'Documents',
  plans: '“Documents”',
  problem: 'the option --max-unused needs a size',
  program: 'process 4711 of user',
  programs: ['editor (4711)', 'shell (4712)'],
  proxy: 'http://proxy.example:3128',
  purpose: 'the password file',
  reason: 'entry 3 has no name',
  received: 512,
  region: 'eu-central-1',
  run: 12,
  seconds: 30,
  server: 'backup.example:8000',
  since: '2026-01-02T03:04:05+01:00',
  skew: '2 hours and 5 minutes ahead of',
  snapshot: '0123456789abcdef',
  snapshots: '4',
  time: 'yesterday',
  tree: id,
  type: 'tree',
  variables: 'HOLDFAST_REST_USERNAME and HOLDFAST_REST_PASSWORD',
  version: 1,
  what: 'pack',
  where: 'line 3 of /home/u/.ssh/known_hosts',
};

/** Problems that are sentences of their own. */
const contexts: Partial<Record<ErrorCode, ErrorContext>> = {
  'bad-usage': { ...plausible, problem: 'The option --max-unused needs a size.' },
};

/** The whole context, recording what the words ask for. */
function recorded(code: ErrorCode): { error: HoldfastError; asked: Set<string> } {
  const asked = new Set<string>();
  const context = new Proxy(contexts[code] ?? plausible, {
    get: (target, name) => {
      asked.add(String(name));
      return target[String(name)];
    },
  });
  return { error: new HoldfastError(code, context), asked };
}

const texts = (code: ErrorCode, context: ErrorContext): string[] => {
  const { message, guidance } = new HoldfastError(code, context);
  return [message, guidance];
};

describe.each(errorCodes)('%s', (code) => {
  test('has the words that a person reads', () => {
    const { message, guidance, retryable } = recorded(code).error;
    expect(`${message}\n→ ${guidance}\n(${retryable ? 'may be tried again' : 'final'})`).toMatchSnapshot();
  });

  test('asks only for what this test knows to be plausible', () => {
    const { asked } = recorded(code);
    expect([...asked].filter((name) => !(name in plausible))).toEqual([]);
  });

  test('keeps the rules: whole sentences, no shouting, nothing of a machine', () => {
    const { cause, ...without } = contexts[code] ?? plausible;
    // A cause is optional everywhere, and so are flags.
    for (const context of [{ ...without, cause }, without, { ...without, exclusive: false, type: 'data' }]) {
      for (const text of texts(code, context)) {
        expect(text).toMatch(/^[A-Z0-9/“"]/);
        expect(text).toMatch(/\.$/);
        expect(text).not.toMatch(/!|\bError\b|undefined|null|NaN|\[object|function|\s\s|\(\)|\.\.|^\s|\s$|\s[.,;:]/);
        expect(text).not.toMatch(/\b(please|sorry|oops|invalid|fatal|abort)/i);
      }
    }
  });

  test('says what happened, and the one thing to do', () => {
    const [message, guidance] = texts(code, contexts[code] ?? plausible) as [string, string];
    expect(message.length).toBeGreaterThan(30);
    expect(message.length).toBeLessThan(400);
    expect(guidance.length).toBeGreaterThan(10);
    expect(guidance.length).toBeLessThan(200);
  });

  test('never shows a long ID whole, unless it is a name', () => {
    for (const text of texts(code, { ...plausible, tree: undefined, snapshot: id })) {
      if (code !== 'snapshot-not-found' && code !== 'snapshot-ambiguous' && code !== 'snapshot-time-unreadable')
        expect(text).not.toContain(id);
    }
  });

  test('crosses a process border whole', () => {
    const error = new HoldfastError(code, contexts[code] ?? plausible);
    const json = JSON.parse(JSON.stringify(error)) as ErrorJSON;
    const there = errorFromJSON(structuredClone(json));
    expect(there).toBeInstanceOf(HoldfastError);
    expect(there.toJSON()).toEqual(error.toJSON());
    expect(errorFromJSON({ ...json, retryable: !error.retryable }).retryable).toBe(!error.retryable);
  });
});

/** The object literal that begins at `at`, without its braces; undefined when something else stands there. */
function literalAt(source: string, at: number): string | undefined {
  if (source[at] !== '{') return undefined;
  let depth = 0;
  for (let end = at; end < source.length; end++) {
    if ('{(['.includes(source[end]!)) depth += 1;
    if ('})]'.includes(source[end]!)) depth -= 1;
    if (depth === 0) return source.slice(at + 1, end);
  }
  return undefined;
}

/** Names of the fields of an object literal, those inside of other brackets and strings left out. */
function namesIn(literal: string): string[] {
  let flat = literal.replace(/`[^`]*`|'(?:[^'\\]|\\.)*'|"[^"]*"/g, '0');
  for (let before = ''; before !== flat; ) [before, flat] = [flat, flat.replace(/\([^()]*\)|\{[^{}]*\}|\[[^[\]]*\]/g, '0')];
  return flat.split(',').map((field) => field.split(':')[0]!.trim());
}

test('every place that throws gives what the words need', () => {
  const missing: string[] = [];
  let places = 0;
  const top = join(import.meta.dirname, '../..');
  const files = ['src', 'main'].flatMap((part) =>
    readdirSync(join(top, part), { recursive: true, encoding: 'utf8' }).map((file) => join(part, file)),
  );
  for (const file of files.filter((name) => name.endsWith('.ts'))) {
    const text = readFileSync(join(top, file), 'utf8');
    for (const match of text.matchAll(/\b(?:fail|new HoldfastError)\(\s*'([a-z-]+)'\s*(,\s*)?/g)) {
      const code = match[1] as ErrorCode;
      if (!errorCodes.includes(code)) continue;
      const given = match[2] === undefined ? '' : literalAt(text, match.index + match[0].length);
      // What is handed on from elsewhere cannot be judged here.
      if (given === undefined) continue;
      const names = namesIn(given);
      places += 1;
      if (names.some((name) => name.startsWith('...'))) continue;
      const context = Object.fromEntries(names.map((name) => [name, plausible[name] ?? 'something']));
      const line = text.slice(0, match.index).split('\n').length;
      if (texts(code, context).some((words) => words.includes('undefined')))
        missing.push(`${file}:${line}: ${code} with only ${names.join(', ')}`);
    }
  }
  expect(missing).toEqual([]);
  expect(places).toBeGreaterThan(100);
});

test('codes are words with hyphens, and stay', () => {
  for (const code of errorCodes) expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
  expect([...errorCodes].sort()).toMatchSnapshot();
});

test('an error keeps what caused it for the log', () => {
  const cause = new Error('EIO');
  try {
    fail('storage-failed', { location: 'here' }, cause);
  } catch (error) {
    expect(error).toMatchObject({ name: 'HoldfastError', code: 'storage-failed', cause });
    expect(hasCode(error, 'storage-failed')).toBe(true);
    expect(hasCode(error, 'storage-full')).toBe(false);
  }
  expect('cause' in new HoldfastError('cancelled')).toBe(false);
  expect(hasCode({ code: 'storage-failed' }, 'storage-failed')).toBe(false);
});

test('what is no error of ours becomes an internal one that keeps its words', () => {
  const known = new HoldfastError('cancelled');
  expect(toHoldfastError(known)).toBe(known);
  for (const [thrown, words] of [
    [new TypeError('x is not y'), 'x is not y'],
    ['text', 'text'],
    [undefined, 'undefined'],
    [{ a: 1 }, ''],
  ] as const) {
    const error = toHoldfastError(thrown);
    expect(error.code).toBe('internal');
    expect(error.message).toContain(words);
    expect(error.cause).toBe(thrown);
  }
});

test('an error with a code that this version does not know becomes an internal one', () => {
  for (const code of ['from-the-future', 'toString', '__proto__', '']) {
    const error = errorFromJSON({ code: code as ErrorCode, message: 'It said this.', guidance: '', context: {}, retryable: true });
    expect(error.code).toBe('internal');
    expect(error.message).toContain('It said this');
  }
});
