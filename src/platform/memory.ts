/**
 * Keeps the memory of a process small. A backup runs beside what a person is doing, and its garbage is short-lived: waiting
 * for more of it before it is collected gains no time that could be measured, and costs hundreds of megabytes
 * (test/bench/README.md).
 */
import { setFlagsFromString } from 'node:v8';
import { openCLibrary } from './c-library.ts';

/** malloc.h of glibc. */
const M_TRIM_THRESHOLD = -1;
const M_MMAP_THRESHOLD = -3;
/** What is larger gets pages of its own, which go back to the system as soon as it is freed; bytes. glibc's own default at the start. */
const largeBytes = 128 << 10;

/** Megabytes of a worker's young generation (three times a semi-space of 2 MB). */
export const youngGenerationMb = 6;

/** To be called once, before any worker thread starts. What a system cannot do is left out. */
export function favourSmallMemory(): void {
  // V8 reads these whenever it decides how far a heap may grow, and which compiler to use: of its two optimising ones the
  // second, whose threads take megabytes for every function, gains nothing here.
  for (const flag of ['--heap-growing-percent=30', '--no-maglev']) setFlagsFromString(flag);
  if (process.platform !== 'linux') return;
  try {
    const mallopt = openCLibrary().func('mallopt', 'int', ['int', 'int']);
    // Setting it ends that glibc raises it by itself, after which freed buffers stay in its heaps.
    mallopt(M_MMAP_THRESHOLD, largeBytes);
    mallopt(M_TRIM_THRESHOLD, largeBytes);
  } catch {
    // native-missing: another C library, which has its own ways.
  }
}

/**
 * For a process that only backs up: its code is compiled for size, which costs no time there and saves another 30 MB. A restore
 * would take a third longer. To be called before any worker thread starts.
 */
export function favourSmallestMemory(): void {
  setFlagsFromString('--optimize-for-size');
}

/** Bytes that this process may still take before the system, or the group that it is confined to, runs short. */
export const availableMemory = (): number => process.availableMemory();
