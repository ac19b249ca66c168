/** The interface in a real browser on a real host: how soon Home answers, how much script that takes, and how soon a large folder is on the screen. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Browser, chromium, type Page } from 'playwright-core';
import { usualSchedule } from '../../src/contract/schedule.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { hostIdentity } from '../../src/platform/host.ts';
import { Repository } from '../../src/repository/repository.ts';
import { profileAt } from '../../src/service/profile.ts';
import { attach, type ServiceClient } from '../../src/service/rpc/client.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { cliProgram } from '../support/cli.ts';
import { noCost } from '../support/no-cost-key.ts';
import { median } from './measure.ts';

const entries = 100_000;
const rowsWanted = 200;
const password = 'a password';

export interface AppFigures {
  /** Until the answer is painted, in milliseconds: by a browser that knows nothing, and by one that was here before. */
  readonly firstPaintMs: number;
  readonly againPaintMs: number;
  /** Of the scripts that Home needs, as they went over the line, in bytes. */
  readonly scriptBytes: number;
  /** From the click on a folder of 100,000 until its first 200 rows are painted, in milliseconds. */
  readonly rowsMs: number;
  /** The same, until those that fit on a usual screen are. */
  readonly screenfulMs: number;
}

export async function measureApp(folder: string, rounds: number): Promise<AppFigures> {
  const home = join(folder, 'home');
  const many = join(home, 'Documents', 'many');
  mkdirSync(many, { recursive: true });
  for (let i = 0; i < entries; i++) writeFileSync(join(many, nameOf(i)), '');
  const host = await startHost(folder, home);
  const browser = await chromium.launch({
    executablePath: process.env['HOLDFAST_CHROMIUM'] ?? '/usr/bin/chromium',
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  try {
    await backUp(host.client, folder, join(home, 'Documents'));
    return await look(browser, host.address, rounds);
  } finally {
    await browser.close();
    await host.end();
  }
}

async function look(browser: Browser, address: string, rounds: number): Promise<AppFigures> {
  const first: number[] = [];
  const again: number[] = [];
  const rows: number[] = [];
  const screenful: number[] = [];
  let scriptBytes = 0;
  for (let round = 0; round < rounds; round++) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', reducedMotion: 'reduce' });
    const page = await context.newPage();
    await page.addInitScript(watchHome);
    await page.goto(address, { waitUntil: 'commit' });
    first.push(await paint(page));
    scriptBytes = Number(await page.evaluate(scriptsOnTheLine));
    await page.goto('about:blank');
    await page.goto(new URL('/', address).href, { waitUntil: 'commit' });
    again.push(await paint(page));
    screenful.push(await openFolder(page, 5));
    // So tall that all of these rows are on the screen at once, which no screen is.
    await page.setViewportSize({ width: 1280, height: 400 + rowsWanted * 40 });
    await page.addStyleTag({ content: `div:has(> [role=listbox]) { height: ${rowsWanted * 40}px !important }` });
    rows.push(await openFolder(page, rowsWanted));
    await context.close();
  }
  return {
    firstPaintMs: median(first),
    againPaintMs: median(again),
    scriptBytes,
    rowsMs: median(rows),
    screenfulMs: median(screenful),
  };
}

const nameOf = (index: number): string => `file ${String(index).padStart(6, '0')}.txt`;

/** Milliseconds since the navigation began. */
const paint = async (page: Page): Promise<number> => Number(await page.evaluate('window.homePainted'));

/** Goes from Home to the folder of the plan, and from there into the large one; milliseconds from that click. */
async function openFolder(page: Page, wanted: number): Promise<number> {
  await page.getByRole('link', { name: 'Home' }).click();
  await page.getByRole('link', { name: 'Restore' }).click();
  const up = page.getByRole('button', { name: 'Up', exact: true });
  const large = page.getByRole('option', { name: /^many/ });
  await large
    .or(page.getByRole('option', { name: /file 000000/ }))
    .first()
    .waitFor();
  if (!(await large.isVisible())) await up.click();
  await large.waitFor();
  await page.evaluate(watchRows(wanted));
  await large.click();
  return Number(await page.evaluate('window.rowsPainted'));
}

/** Resolves when the line with the answer has been painted: the frame after the one in which it came. */
const watchHome = `window.homePainted = new Promise((resolve) => {
  const observer = new MutationObserver(() => {
    if (!/not backed up|safe/.test(document.querySelector('h1')?.textContent ?? '')) return;
    observer.disconnect();
    requestAnimationFrame(() => { const { port1, port2 } = new MessageChannel(); port1.onmessage = () => resolve(performance.now()); port2.postMessage(0); });
  });
  observer.observe(document, { childList: true, subtree: true, characterData: true });
});`;

/** The same for so many rows of the large folder, from the click. */
const watchRows = (wanted: number): string => `{
  let began;
  addEventListener('click', ({ timeStamp }) => (began = timeStamp), { once: true, capture: true });
  window.rowsPainted = new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      if (![...document.querySelectorAll('[role=option]')].some((row) => row.textContent.includes('${nameOf(wanted - 1)}'))) return;
      observer.disconnect();
      requestAnimationFrame(() => { const { port1, port2 } = new MessageChannel(); port1.onmessage = () => resolve(performance.now() - began); port2.postMessage(0); });
    });
    observer.observe(document, { childList: true, subtree: true, characterData: true });
  });
  // The value of this is waited for, which the promise is not to be yet.
  null;
}`;

const scriptsOnTheLine = `performance.getEntriesByType('resource')
  .filter(({ name }) => new URL(name).pathname.endsWith('.js'))
  .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`;

async function backUp(client: ServiceClient, folder: string, source: string): Promise<void> {
  const place = join(folder, 'repository');
  await Repository.init(new LocalStorage(place), password, hostIdentity(), systemClock, { cost: noCost });
  const { id } = await client.destinations.connect({ place, password, name: 'Disk' });
  const plan = await client.plans.create({
    name: 'Documents',
    sources: [{ kind: 'folder', path: source }],
    destinations: [{ destination: id, role: 'primary' }],
    schedule: { ...usualSchedule, triggers: [{ kind: 'daily', at: '12:00' }] },
  });
  const stop = new AbortController();
  const events = await client.events({}, { signal: stop.signal });
  const run = await client.runs.start({ plan: plan.id });
  for await (const { event } of events) {
    if (event.type !== 'run' || event.run.id !== run.id || event.run.ended === null) continue;
    if (event.run.status !== 'succeeded') throw new Error(`the backup ended as ${event.run.status}: ${event.run.error?.message}`);
    break;
  }
  stop.abort();
}

interface BenchHost {
  readonly address: string;
  readonly client: ServiceClient;
  end(): Promise<void>;
}

async function startHost(folder: string, home: string): Promise<BenchHost> {
  const profile = join(folder, 'profile');
  const args = ['--json', 'serve', '--port', '0', '--profile', profile, '--secrets-file', join(folder, 'secrets.json')];
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(HOLDFAST_|XDG_|DBUS_)/.test(name)));
  const env = { ...own, HOME: home, XDG_CONFIG_HOME: join(home, '.config'), XDG_CACHE_HOME: join(folder, 'cache') };
  const child = spawn(process.execPath, [cliProgram, ...args], { stdio: ['ignore', 'pipe', 'inherit'], env });
  const address = await readyAddress(child);
  const { client, close } = await attach(profileAt(profile));
  return {
    address,
    client,
    end: async () => {
      close();
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}

async function readyAddress(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) {
    const { type, addresses } = JSON.parse(line) as { type: string; addresses?: string[] };
    if (type !== 'ready') continue;
    child.stdout!.resume();
    return addresses![0];
  }
  throw new Error('the host did not start');
}
