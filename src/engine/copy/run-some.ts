/** Runs work for many items, a few at a time, so that neither the items nor what they give have to be in memory together. */

/** More than workers, so that each finds the next job when it is done with one. */
const ahead = 2;

/** Calls `work` for each item, `ahead` times `workers` of them at once. The first failure ends it; it is thrown when all have ended. */
export async function runSome<T>(workers: number, items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let failed = false;
  const line = async (): Promise<void> => {
    for (let next = iterator.next(); !next.done && !failed; next = iterator.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: workers * ahead }, line));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
