/**
 * Begins an output file and waits to be killed:
 *
 *     node output-process.ts REPOSITORY FILE
 */
import { writeOutputFile } from '../../src/engine/export/output-file.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { openRepository } from './engine.ts';

const [folder = '', path = ''] = process.argv.slice(2);
await writeOutputFile(await openRepository(folder), { path, replace: false }, async (sink) => {
  await sink.write(Buffer.alloc(100_000, 'half a file'));
  console.log('begun');
  await systemClock.sleep(Number.POSITIVE_INFINITY);
});
