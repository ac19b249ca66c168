/** Watches a folder, once, and prints what became of that as JSON: for limits that hold for a whole process. */
import { compileExcludes } from '../../src/engine/backup/exclude.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { SourceWatcher } from '../../src/service/watch/source-watcher.ts';

const watcher = new SourceWatcher({
  clock: systemClock,
  sources: [Buffer.from(process.argv[2]!)],
  rules: compileExcludes({}),
  onChange: () => {},
});
await watcher.ready;
console.log(JSON.stringify({ watched: watcher.watched, notes: watcher.notes(), doubts: watcher.cut().doubts }));
watcher.close();
