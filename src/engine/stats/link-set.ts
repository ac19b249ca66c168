/** Files that were met, by inode and device: 16 bytes for each and as much again for room to find it. */
import { randomFillSync } from 'node:crypto';

const words = 4;

export class LinkSet {
  #slots = new Uint32Array(1024 * words);
  #count = 0;
  /** A repository chooses the numbers at will, but does not know these. */
  readonly #factors = randomFillSync(new Uint32Array(words)).map((factor) => factor | 1);
  readonly #key = new Uint32Array(words);

  /** False when it is there already. The inode must not be 0. */
  add(inode: bigint, device: bigint): boolean {
    if (this.#count * 2 >= this.#slots.length / words) this.#grow();
    const key = this.#key;
    key[0] = Number(inode & 0xffffffffn);
    key[1] = Number(inode >> 32n);
    key[2] = Number(device & 0xffffffffn);
    key[3] = Number(device >> 32n);
    return this.#add();
  }

  #add(): boolean {
    const slots = this.#slots;
    const key = this.#key;
    for (let at = this.#slot(); ; at = at + words === slots.length ? 0 : at + words) {
      if (slots[at] === 0 && slots[at + 1] === 0) {
        slots.set(key, at);
        this.#count += 1;
        return true;
      }
      if (slots[at] === key[0] && slots[at + 1] === key[1] && slots[at + 2] === key[2] && slots[at + 3] === key[3]) return false;
    }
  }

  #slot(): number {
    let hash = 0;
    for (let i = 0; i < words; i++) {
      hash = Math.imul(hash ^ this.#key[i], this.#factors[i]);
      hash ^= hash >>> 15;
    }
    return ((hash >>> 0) % (this.#slots.length / words)) * words;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    this.#count = 0;
    for (let at = 0; at < old.length; at += words) {
      if (old[at] === 0 && old[at + 1] === 0) continue;
      this.#key.set(old.subarray(at, at + words));
      this.#add();
    }
  }
}
