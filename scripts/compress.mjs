/** Lays compressed copies of the interface's files beside them, so that nobody has to compress while somebody waits. */
import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';

const texts = new Set(['.html', '.js', '.css', '.json', '.svg', '.txt']);
/** Of fewer bytes nothing is saved: they are one packet either way. */
const least = 1000;

/** @type {Readonly<Record<string, (content: Buffer) => Promise<Buffer>>>} by the ending of the copy */
const ways = { '.br': promisify(brotliCompress), '.gz': (content) => promisify(gzip)(content, { level: 9 }) };

/**
 * @param {string} folder
 * @returns {Promise<void>}
 */
export async function compressFiles(folder) {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => texts.has(extname(name)));
  await Promise.all(
    files.map(async (name) => {
      const file = join(folder, name);
      const content = await readFile(file);
      if (content.length < least) return;
      for (const [ending, compress] of Object.entries(ways)) await writeFile(file + ending, await compress(content));
    }),
  );
}
