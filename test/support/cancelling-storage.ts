/** A storage in memory that cancels a run at one of its writes. */
import type { RunControl } from '../../src/platform/cancellation.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import type { StoredFile } from '../../src/storage/storage.ts';

export class CancellingStorage extends MemoryStorage {
  readonly #control: RunControl;
  #left: number;

  /** A copy of `base`; the run is cancelled when its `nth` save, replacement or removal begins. */
  constructor(base: MemoryStorage, control: RunControl, nth: number) {
    super(base.location, base.dump());
    this.#control = control;
    this.#left = nth;
  }

  override async save(file: StoredFile, parts: readonly Uint8Array[]): Promise<void> {
    this.#count();
    await super.save(file, parts);
  }

  override async replaceConfig(parts: readonly Uint8Array[]): Promise<void> {
    this.#count();
    await super.replaceConfig(parts);
  }

  override async remove(file: StoredFile): Promise<void> {
    this.#count();
    await super.remove(file);
  }

  #count(): void {
    this.#left -= 1;
    if (this.#left === 0) this.#control.cancel();
  }
}
