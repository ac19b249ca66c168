/** Fails the tests of a file in which a promise was rejected and nobody cared. */
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { nextTurn } from '../../src/platform/clock.ts';

/** Call it once, at the top of a test file. */
export function refuseUnhandledRejections(): void {
  const reasons: unknown[] = [];
  const note = (reason: unknown): void => void reasons.push(reason);
  beforeAll(() => void process.on('unhandledRejection', note));
  afterEach(async () => {
    await nextTurn();
    await nextTurn();
    expect(reasons.splice(0)).toEqual([]);
  });
  afterAll(() => void process.off('unhandledRejection', note));
}
