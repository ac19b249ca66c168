/**
 * What somebody who helps needs to see. Secrets are never in what it is made of; places and names are cut all the same, and whatever looks
 * like a secret in a log is struck out, since nobody can know what a server says.
 */
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import type { State } from '../../contract/state.ts';
import { ZipStream } from '../../engine/export/zip-stream.ts';
import { kindOf } from '../../storage/place.ts';
import type { Common } from '../parts.ts';

export interface DiagnosticsOptions extends Pick<Common, 'state' | 'clock' | 'profile' | 'home' | 'identity'> {
  readonly whole: () => State;
  readonly version: string;
}

export interface DiagnosticsFile {
  readonly name: string;
  readonly mediaType: string;
  readonly base64: string;
}

const runsShown = 200;
const linesOfRun = 50;
const runsWithLog = 20;
const logBytes = 1 << 20;

export async function diagnosticsFile(options: DiagnosticsOptions, format: 'text' | 'zip'): Promise<DiagnosticsFile> {
  const strike = striker(options);
  const parts = partsOf(options).map(([name, text]) => [name, strike(text)] as const);
  const name = `holdfast-diagnostics-${new Date(options.clock.now()).toISOString().slice(0, 10)}`;
  if (format === 'text') {
    const text = parts.map(([part, content]) => `===== ${part} =====\n${content}\n`).join('\n');
    return { name: `${name}.txt`, mediaType: 'text/plain', base64: Buffer.from(text).toString('base64') };
  }
  const pieces: Uint8Array[] = [];
  const zip = new ZipStream({ write: async (bytes) => void pieces.push(bytes) });
  for (const [part, text] of parts) {
    const content = Buffer.from(text);
    const entry = { name: Buffer.from(part), mode: 0o100600, mtimeNs: BigInt(options.clock.now()) * 1_000_000n, uid: 0, gid: 0 };
    await zip.begin(entry, content.length);
    await zip.piece(deflateRawSync(content));
    await zip.end(crc32(content), content.length);
  }
  await zip.finish();
  return { name: `${name}.zip`, mediaType: 'application/zip', base64: Buffer.concat(pieces).toString('base64') };
}

function partsOf({ state, clock, profile, whole, version }: DiagnosticsOptions): [string, string][] {
  const { plans, destinations, settings, pause, alarms, planStates } = whole();
  const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;
  const runs = state.runs.list({ limit: runsShown });
  const logs = runs.slice(0, runsWithLog).flatMap(({ id }) => {
    const { lines } = state.runs.logOf(id, 0, linesOfRun);
    return [`run ${id}`, ...lines.map(({ at, level, text }) => `  ${new Date(at).toISOString()} ${level} ${text}`)];
  });
  const system = {
    holdfast: version,
    at: new Date(clock.now()).toISOString(),
    node: process.versions.node,
    electron: (process.versions as Record<string, string | undefined>).electron ?? null,
    system: `${process.platform} ${release()} ${process.arch}`,
    memoryBytes: process.memoryUsage.rss(),
  };
  return [
    ['system.json', json(system)],
    ['settings.json', json({ settings, pause, alarms, planStates })],
    [
      'plans.json',
      json(
        plans.map((plan) => ({
          ...plan,
          name: undefined,
          sources: plan.sources.map(({ path }) => ({ depth: path.split('/').length - 1 })),
        })),
      ),
    ],
    [
      'destinations.json',
      json(
        destinations.map(({ id, place, repository, sharesBlobs, now, volume }) => ({
          id,
          kind: kindOf(place)?.kind ?? 'local',
          repository: repository.slice(0, 8),
          isDrive: volume !== undefined,
          sharesBlobs,
          now,
        })),
      ),
    ],
    ['runs.json', json(runs.map((run) => ({ ...run, planName: undefined, destinationName: undefined })))],
    ['runs.log', `${logs.join('\n')}\n`],
    ['service.log', tailOf(join(profile.folder, 'logs', 'service.log'))],
  ];
}

function tailOf(file: string): string {
  try {
    return readFileSync(file).subarray(-logBytes).toString('utf8');
  } catch {
    return '';
  }
}

/** Secrets that carry a name, or their place, wherever they stand. */
const telltale: readonly (readonly [RegExp, string])[] = [
  // https://user:secret@host
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]*@/gi, '$1***@'],
  // What an address asks with: a shared access signature, a presigned request, a token.
  [/\?[^\s"')\]]+/g, '?***'],
  [/\b(authorization|proxy-authorization|cookie|set-cookie|x-[a-z-]*(?:token|key|signature))\b["']?\s*[:=]\s*[^\n"]+/gi, '$1: ***'],
  [/\b(bearer|basic|digest)\s+[\w+/=.~-]{8,}/gi, '$1 ***'],
  [
    /(["']?\b[\w-]*(?:password|passphrase|passwd|secret|token|credential|access[_-]?key|account[_-]?key|private[_-]?key|api[_-]?key|signature|sas)[\w-]*["']?\s*[:=]\s*)("[^"\n]*"|'[^'\n]*'|[^\s,;&}]+)/gi,
    '$1***',
  ],
  [/-----BEGIN [^-]+-----[\s\S]*?(?:-----END [^-]+-----|$)/g, '***'],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, '***'],
  [/\beyJ[\w-]{10,}\.[\w-]+(?:\.[\w-]*)?/g, '***'],
];

/** Strikes out secrets, and cuts what tells of the person: the home folder, folders and places, names. */
function striker({ home, identity, whole }: DiagnosticsOptions): (text: string) => string {
  const { plans, destinations } = whole();
  const names: (readonly [string, string])[] = [
    ...destinations.flatMap(({ place, name }, i) => [[place, `<place ${i + 1}>`] as const, [name, `<destination ${i + 1}>`] as const]),
    ...plans.flatMap(({ sources, name }, i) => [
      ...sources.map(({ path }, j) => [path, `<source ${i + 1}.${j + 1}>`] as const),
      [name, `<plan ${i + 1}>`] as const,
    ]),
    [home, '<home>'],
    [identity.hostname, '<computer>'],
    [identity.username, '<person>'],
  ];
  // The longer first: one may be the beginning of another. What is short stands in many a word.
  const wanted = names.filter(([text]) => text.length >= 3).sort(([a], [b]) => b.length - a.length);
  return (text) => {
    let cut = text;
    for (const [pattern, instead] of telltale) cut = cut.replaceAll(pattern, instead);
    for (const [name, instead] of wanted) cut = cut.replaceAll(name, instead).replaceAll(JSON.stringify(name).slice(1, -1), instead);
    // What lies in a folder of the person's tells as much as its own name; where it ends, nobody can say for sure.
    return cut.replaceAll(/(<(?:home|source [\d.]+|place \d+)>)[/\\][^\n"”:(]*/g, '$1/…');
  };
}
