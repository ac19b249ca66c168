/**
 * Another process at work on the keychain that its environment names, for tests of keychains that lock, hang and are not there.
 *
 *     node keychain-process.ts get ACCOUNT
 *     node keychain-process.ts try ACCOUNT SECRET   the state, then get, set and remove: what each says
 *     node keychain-process.ts set ACCOUNT SECRET [TIMES]
 *     node keychain-process.ts ask ACCOUNT          lets the person be asked; cancelled by a line of input
 *     node keychain-process.ts move FILE ACCOUNT [STEP]   stands still before the step of this number
 *
 * Prints one line of JSON: `{ "result": … }` or `{ "error": … }`; `move` prints `"at STEP"` first, when it gets there.
 */
import { createInterface } from 'node:readline';
import { toHoldfastError } from '../../src/contract/errors.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { exitAtOnce } from '../../src/platform/exit.ts';
import { type Keychain, SystemKeychain } from '../../src/platform/keychain/keychain.ts';
import { moveFileToKeychain } from '../../src/platform/keychain/move-file.ts';

const [verb, ...args] = process.argv.slice(2) as [string, ...string[]];
const keychain = new SystemKeychain();
const service = 'Holdfast test';
const named = (account = '') => ({ service, account });

/** The same, but its step of this number (each call before and after what it does) never comes. */
function stopping(at: number): Keychain {
  let step = 0;
  const reached = async (): Promise<void> => {
    if (++step !== at) return;
    console.log(JSON.stringify(`at ${step}`));
    await systemClock.sleep(Number.POSITIVE_INFINITY);
  };
  const around = async <T>(act: () => Promise<T>): Promise<T> => {
    await reached();
    const result = await act();
    await reached();
    return result;
  };
  return {
    state: (signal) => keychain.state(signal),
    get: (...all) => around(() => keychain.get(...all)),
    set: (...all) => around(() => keychain.set(...all)),
    remove: (...all) => around(() => keychain.remove(...all)),
  };
}

async function act(): Promise<unknown> {
  if (verb === 'get') return (await keychain.get(named(args[0]))) ?? null;
  if (verb === 'try') {
    const account = named(args[0]);
    const calls = [() => keychain.get(account), () => keychain.set(account, args[1] as string), () => keychain.remove(account)];
    const said: unknown[] = [await keychain.state()];
    for (const call of calls) said.push(await call().catch(toHoldfastError));
    return said;
  }
  if (verb === 'move') return moveFileToKeychain(args[0] as string, named(args[1]), args[2] ? stopping(Number(args[2])) : keychain);
  if (verb === 'ask') {
    const abort = new AbortController();
    createInterface({ input: process.stdin }).once('line', () => abort.abort());
    return (await keychain.get(named(args[0]), { signal: abort.signal, prompt: 'allowed' })) ?? null;
  }
  for (let time = 0; time < Number(args[2] ?? 1); time++) await keychain.set(named(args[0]), args[1] as string);
  return null;
}

try {
  console.log(JSON.stringify({ result: await act() }));
} catch (error) {
  console.log(JSON.stringify({ error: toHoldfastError(error) }));
}
exitAtOnce(0);
