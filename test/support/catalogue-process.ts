/**
 * Builds a catalogue in a process of its own, to be killed: enters the history over and over again, forgets all of it, and begins anew.
 *
 *     node catalogue-process.ts FILE
 *
 * Says a line each time that it reads trees.
 */
import { CatalogueStore } from '../../src/service/catalogue/store.ts';
import { historyPolynomial, historyRepository, makeHistory } from './catalogue-history.ts';

const [path] = process.argv.slice(2);
const { source, history } = makeHistory(12);
const store = new CatalogueStore(path);
const told = {
  read: (trees: readonly Uint8Array[]) => {
    process.stdout.write('.\n');
    return source.read(trees);
  },
};
for (;;) {
  const missing = new Set(
    await store.reconcile(
      historyRepository,
      history.map(({ facts }) => facts.id),
    ),
  );
  for (const { facts } of [...history].reverse())
    if (missing.has(facts.id)) await store.add(historyRepository, historyPolynomial, facts, { source: told });
  await store.index();
  await store.reconcile(
    historyRepository,
    history.filter((_, s) => s % 3 === 0).map(({ facts }) => facts.id),
  );
  await store.reconcile(historyRepository, []);
}
