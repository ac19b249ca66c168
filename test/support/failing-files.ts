/**
 * Lets the nth call into the system fail that this thread makes from now on, for code that works on files itself: every
 * synchronous call of `node:fs`, and those of platform/posix.ts in suites that mock it with {@link failingPosix}.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

export interface FileFault {
  /** Counts from 1; beyond the last call nothing fails. */
  readonly at: number;
  /** Of the system, for example EIO. */
  readonly code: string;
  /** The call does its work before it fails, as over a network whose answer is lost; what is written, by half. */
  readonly afterwards: boolean;
}

let current: { fault: FileFault; calls: number; failed: string | undefined } | undefined;
let isInside = false;

function pass<T>(name: string, args: readonly unknown[], call: (args: readonly unknown[]) => T): T {
  // A call that makes others counts once.
  if (!current || isInside) return call(args);
  current.calls += 1;
  const { at, code, afterwards } = current.fault;
  const fails = current.calls === at;
  if (fails) current.failed = name;
  isInside = true;
  try {
    if (!fails) return call(args);
    // What an opening gives would be lost for ever.
    if (afterwards && name !== 'openSync') call(name === 'writeSync' ? halfOf(args) : args);
  } finally {
    isInside = false;
  }
  throw Object.assign(new Error(`${code}: made to fail, ${name} '${String(args[0])}'`), { code, syscall: name });
}

/** A disk that gets full takes a part. */
const halfOf = ([fd, bytes]: readonly unknown[]): unknown[] => [fd, (bytes as Buffer).subarray(0, (bytes as Buffer).length >> 1)];

/** Files that are closed stay closed, as the system has it even when it reports a failure. */
const neverFails = new Set(['closeSync']);

/** Runs `act` with one fault. Returns how many calls there were, and the name of the one that failed. */
export async function withFault(fault: FileFault, act: () => Promise<void>): Promise<{ calls: number; failed: string | undefined }> {
  const functions = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
  const originals = new Map<string, (...args: unknown[]) => unknown>();
  for (const [name, original] of Object.entries(functions)) {
    if (!name.endsWith('Sync') || neverFails.has(name)) continue;
    originals.set(name, original);
    functions[name] = Object.assign((...args: unknown[]) => pass(name, args, (all) => original(...all)), original);
  }
  syncBuiltinESMExports();
  const state = { fault, calls: 0, failed: undefined };
  current = state;
  try {
    await act();
  } finally {
    current = undefined;
    for (const [name, original] of originals) functions[name] = original;
    syncBuiltinESMExports();
  }
  return state;
}

/** The module platform/posix.ts with calls that count and fail as those of `node:fs` do. */
export function failingPosix<T extends object>(posix: T): T {
  const failing = (name: string, value: unknown): unknown =>
    typeof value !== 'function'
      ? value
      : (...args: unknown[]) => pass(name, args, (all) => (value as (...them: unknown[]) => unknown)(...all));
  return Object.fromEntries(Object.entries(posix).map(([name, value]) => [name, failing(name, value)])) as T;
}
