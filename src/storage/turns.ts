/** Those of this process who do something to the same name take turns. */

const running = new Map<string, Promise<void>>();

/** Calls `work` when nobody else works under this name any more, and returns what it returns. */
export async function inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
  for (let other = running.get(name); other !== undefined; other = running.get(name)) await other;
  const turn = Promise.withResolvers<void>();
  running.set(name, turn.promise);
  try {
    return await work();
  } finally {
    running.delete(name);
    turn.resolve();
  }
}
