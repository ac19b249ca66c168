/**
 * The encrypted item, restic's only envelope: IV(16) ‖ ciphertext ‖ MAC(16) (repository-format.md, "Names and encryption").
 *
 * - AES-256-CTR, the IV being the first 128-bit counter.
 * - Poly1305 over the ciphertext, under the one-time key r ‖ AES-128_k(IV).
 */
import { fail } from '../contract/errors.ts';
import { openSystemCiphers, type SystemCiphers } from '../platform/openssl-library.ts';
import type { Kernel } from './kernel/kernel.ts';
import { KernelSealer } from './kernel-sealer.ts';
import { type MasterKey, sealOverhead } from './master-key.ts';
import { SystemSealer } from './system-sealer.ts';

export { type MasterKey, randomMasterKey, sealOverhead } from './master-key.ts';

let systemCiphers: SystemCiphers | null | undefined;

/** This thread's, looked for once; null when there are none. */
function findSystemCiphers(): SystemCiphers | null {
  if (systemCiphers === undefined) systemCiphers = openSystemCiphers() ?? null;
  return systemCiphers;
}

/**
 * Seals and opens items under one key. For one thread, like its kernel; calls do not overlap, since all are synchronous.
 */
export class Sealer {
  readonly #way: SystemSealer | KernelSealer;

  /**
   * `maxPlain`: the longest usual plaintext in bytes, for which memory is set aside. Longer ones work and enlarge it.
   * `ciphers`: default those of the runtime; null where it has none that can be used, which is slower.
   */
  constructor(key: MasterKey, kernel: Kernel, maxPlain: number, ciphers: SystemCiphers | null = findSystemCiphers()) {
    this.#way = ciphers ? new SystemSealer(key, ciphers, maxPlain) : new KernelSealer(key, kernel, maxPlain);
  }

  /**
   * Writes the item that holds `plain` to `out` at `outOffset` and returns its length, plain.length + {@link sealOverhead}.
   * Throws RangeError, before anything is written, when `out` has not that much room. `out` may be where `plain` is.
   */
  seal(plain: Uint8Array, out: Uint8Array, outOffset: number): number {
    const length = plain.length + sealOverhead;
    if (outOffset < 0 || outOffset + length > out.length) {
      throw new RangeError(`No room for ${length} bytes at ${outOffset} of ${out.length}`);
    }
    return this.#way.seal(plain, out, outOffset);
  }

  /**
   * The plaintext of the item `sealed`: **a view that the next call of this Sealer, or a growth of the kernel's memory,
   * overwrites**; take {@link openCopy} to keep it. Throws 'item-tampered', having decrypted nothing, when the item is not
   * one that this key has sealed.
   */
  open(sealed: Uint8Array): Uint8Array {
    if (sealed.length < sealOverhead) return fail('item-tampered', { length: sealed.length });
    return this.#way.open(sealed);
  }

  /** As {@link open}, in memory of its own. */
  openCopy(sealed: Uint8Array): Uint8Array {
    return new Uint8Array(this.open(sealed));
  }
}
