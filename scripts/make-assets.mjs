/**
 * `npm run assets`: makes the icons and tray images from assets/*.svg. What it makes is kept with the sources, so that a build needs none of
 * this; a test makes it again and compares.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { IconIcns, IconIco } from '@shockpkg/icon-encoder';
import { initWasm, Resvg } from '@resvg/resvg-wasm';
import { root } from './runtime.mjs';

const source = join(root, 'assets');
/** At these and below the small drawing is the clearer one. */
const smallUpTo = 32;
const linuxSizes = [16, 24, 32, 48, 64, 128, 256, 512, 1024];
const windowsSizes = [16, 20, 24, 32, 40, 48, 64, 256];
/** Apple's types of icons, by their size in pixels. */
const appleTypes = /** @type {const} */ ([
  [16, 'icp4'],
  [32, 'icp5'],
  [32, 'ic11'],
  [64, 'ic12'],
  [128, 'ic07'],
  [256, 'ic08'],
  [256, 'ic13'],
  [512, 'ic09'],
  [512, 'ic14'],
  [1024, 'ic10'],
]);

const states = ['fine', 'working', 'paused', 'attention'];
/** Of the mark, and of the badge by state; on a light and on a dark bar. */
const colours = {
  light: { mark: '#26302f', fine: '', working: '#0b6b66', paused: '#5d6b69', attention: '#b45309' },
  dark: { mark: '#f2f5f4', fine: '', working: '#159a91', paused: '#7d8b89', attention: '#d97706' },
};

/**
 * All files by their path below assets/; the picture that pages have beside their titles is `../renderer/public/icon.svg`.
 *
 * @returns {Promise<Map<string, Buffer>>}
 */
export async function makeAssets() {
  await initialize();
  /** @param {string} name */
  const read = (name) => readFileSync(join(source, name), 'utf8');
  const large = read('icon.svg');
  const small = read('icon-small.svg');
  const parts = read('tray.svg');
  /** @param {number} size */
  const app = (size) => render(size <= smallUpTo ? small : large, size);
  /** @type {Map<string, Buffer>} */
  const files = new Map([['../renderer/public/icon.svg', Buffer.from(large)]]);
  for (const size of linuxSizes) files.set(`icons/${size}x${size}.png`, app(size));
  files.set('icon.ico', await ico(windowsSizes.map((size) => app(size))));
  files.set('icon.icns', await icns(app));
  for (const state of states) {
    const template = trayTemplate(parts, state);
    files.set(`tray/${state}Template.png`, render(template, 18));
    files.set(`tray/${state}Template@2x.png`, render(template, 36));
    for (const variant of /** @type {const} */ (['light', 'dark'])) {
      const image = trayImage(parts, state, colours[variant]);
      files.set(`tray/${state}-${variant}.png`, render(image, 22));
      files.set(`tray/${state}-${variant}@2x.png`, render(image, 44));
      files.set(`tray/${state}-${variant}.ico`, await ico([16, 20, 24, 32, 48].map((size) => render(image, size))));
    }
  }
  return files;
}

let initialized = false;
async function initialize() {
  if (initialized) return;
  initialized = true;
  await initWasm(readFileSync(join(root, 'node_modules/@resvg/resvg-wasm/index_bg.wasm')));
}

/**
 * @param {string} svg
 * @param {number} size pixels of each side
 */
const render = (svg, size) => Buffer.from(new Resvg(svg, { fitTo: { mode: 'width', value: size } }).render().asPng());

/** @param {readonly Buffer[]} images PNG */
async function ico(images) {
  const icon = new IconIco();
  for (const image of images) await icon.addFromPng(image);
  return Buffer.from(icon.encode());
}

/** @param {(size: number) => Buffer} image */
async function icns(image) {
  const icon = new IconIcns();
  for (const [size, type] of appleTypes) await icon.addFromPng(image(size), [type]);
  return Buffer.from(icon.encode());
}

/** Room around the badge, so that it does not run into the mark. */
const cut = '<circle cx="11.5" cy="11.5" r="5.25" fill="black"/>';
const disc = '<circle cx="11.5" cy="11.5" r="4.25"/>';

/**
 * What follows the definitions, with the parts of tray.svg.
 *
 * @param {string} parts
 * @param {string} body
 */
const compose = (parts, body) =>
  parts.replace('</defs>', `<mask id="cut"><rect width="16" height="16" fill="white"/>${cut}</mask></defs>${body}`);

/**
 * @param {string} parts
 * @param {string} state
 * @param {Readonly<Record<string, string>>} colour
 */
function trayImage(parts, state, colour) {
  const mark = `<use href="#mark" color="${colour.mark}"/>`;
  if (state === 'fine') return compose(parts, mark);
  return compose(parts, `<g mask="url(#cut)">${mark}</g><g fill="${colour[state]}">${disc}</g><use href="#badge-${state}"/>`);
}

/**
 * Of black and nothing: macOS takes the shape and colours it itself. The badge's sign is a hole in it.
 *
 * @param {string} parts
 * @param {string} state
 */
function trayTemplate(parts, state) {
  const mark = '<use href="#mark" color="#000"/>';
  if (state === 'fine') return compose(parts, mark);
  const sign = `<mask id="sign"><rect width="16" height="16" fill="white"/><use href="#badge-${state}"/></mask>`;
  return compose(
    parts.replaceAll('stroke="#fff"', 'stroke="#000"'),
    `<g mask="url(#cut)">${mark}</g><g mask="url(#sign)">${disc}</g>`,
  ).replace('</defs>', `${sign}</defs>`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const folder of ['icons', 'tray']) rmSync(join(source, folder), { recursive: true, force: true });
  const files = await makeAssets();
  for (const [name, content] of files) {
    mkdirSync(dirname(join(source, name)), { recursive: true });
    writeFileSync(join(source, name), content);
  }
  console.log(`Made ${files.size} files.`);
}
