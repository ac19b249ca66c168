/** Recovery kits; see src/contract/kit.ts. */
import { createHash, randomInt } from 'node:crypto';
import { fail } from '../../contract/errors.ts';
import type { RecoveryKit } from '../../contract/kit.ts';
import { kindOf } from '../../storage/place.ts';
import type { Destination } from '../../contract/destination.ts';
import type { Destinations } from '../destinations/destinations.ts';
import { kitsSaved, noteKitSaved } from '../facts/kits.ts';
import type { Common } from '../parts.ts';

export interface KitsOptions extends Pick<Common, 'state' | 'clock' | 'identity'> {
  readonly destinations: Pick<Destinations, 'tryPassword' | 'credentialNames'>;
  /** It is noted that a kit is saved. */
  readonly onSaved: () => void;
}

type Language = 'en' | 'zh-CN';

const wordCount = 8;
/** What opens the place, and no program would name. */
const paths = ['HOLDFAST_CACERT', 'SSH_AUTH_SOCK'];

export class Kits {
  readonly #options: KitsOptions;
  /** Which words were asked for last, by destination: from 1 on. */
  readonly #asked = new Map<string, readonly [number, number]>();

  constructor(options: KitsOptions) {
    this.#options = options;
  }

  /** Throws `wrong-password` for one that does not open the repository, and what opening throws. */
  async make(id: string, password: string | undefined, language: Language): Promise<RecoveryKit> {
    const { state, clock, identity, destinations } = this.#options;
    const destination = state.destination(id);
    if (password !== undefined) await destinations.tryPassword(id, password);
    const { name, place, volume = null, repository } = destination;
    const plans = state.plans().filter((plan) => plan.destinations.some((each) => each.destination === id));
    return {
      holdfast: 'recovery-kit',
      version: 1,
      madeAt: clock.now(),
      hostname: identity.hostname,
      username: identity.username,
      destination: { id, name },
      kind: kindOf(place)?.kind ?? 'local',
      place,
      volume,
      repository,
      password: password ?? null,
      credentials: (await destinations.credentialNames(id)).filter((each) => !paths.includes(each)),
      checkWords: await checkWords(repository, language),
      plans: plans.map((plan) => ({ name: plan.name, sources: plan.sources.map(({ path }) => path) })),
      commands: commandsFor(destination),
    };
  }

  ask(id: string): { numbers: [number, number] } {
    this.#options.state.destination(id);
    const first = randomInt(wordCount);
    const second = (first + 1 + randomInt(wordCount - 1)) % wordCount;
    const numbers: [number, number] = first < second ? [first + 1, second + 1] : [second + 1, first + 1];
    this.#asked.set(id, numbers);
    return { numbers };
  }

  /** Throws `request-invalid` when no words were asked for. */
  async answer(id: string, words: readonly [string, string]): Promise<{ right: [boolean, boolean]; savedAt: number | null }> {
    const { state, clock, onSaved } = this.#options;
    const { repository } = state.destination(id);
    const asked = this.#asked.get(id) ?? fail('request-invalid', { problem: 'no words of this recovery kit were asked for' });
    const lists = await Promise.all((['en', 'zh-CN'] as const).map((language) => checkWords(repository, language)));
    const isRight = (i: 0 | 1): boolean => lists.some((list) => list[asked[i] - 1] === words[i].trim().normalize('NFKC').toLowerCase());
    const right: [boolean, boolean] = [isRight(0), isRight(1)];
    if (right[0] && right[1]) {
      this.#asked.delete(id);
      noteKitSaved(state, repository, clock.now());
      onSaved();
    }
    return { right, savedAt: kitsSaved(state)[repository] ?? null };
  }

  saved(): { destination: string; savedAt: number | null }[] {
    const { state } = this.#options;
    const saved = kitsSaved(state);
    return state.destinations().map(({ id, repository }) => ({ destination: id, savedAt: saved[repository] ?? null }));
  }
}

/** Words of BIP 39, whose lists were chosen so that no two are mistaken for each other. */
async function checkWords(repository: string, language: Language): Promise<string[]> {
  // Loaded when they are first used.
  const { wordlist } =
    language === 'en' ? await import('@scure/bip39/wordlists/english.js') : await import('@scure/bip39/wordlists/simplified-chinese.js');
  const bytes = createHash('sha256').update(`Holdfast recovery kit ${repository}`).digest();
  return Array.from({ length: wordCount }, (_, i) => wordlist[bytes.readUInt16BE(2 * i) % wordlist.length]!);
}

/** A password or a key is never in them: both programs ask for the one, and the environment has the other. */
function commandsFor({ place, volume }: Destination): RecoveryKit['commands'] {
  // Where the drive will be mounted nobody knows: the person puts it in.
  const at = quoted(volume ? `/path/to/drive${volume.pathWithin === '' ? '' : `/${volume.pathWithin}`}` : place);
  const kind = kindOf(place)?.kind;
  // restic knows no WebDAV, and spells the others the same.
  const knows = kind === undefined || kind !== 'webdav';
  return {
    holdfast: [`holdfast --repo ${at} snapshots`, `holdfast --repo ${at} restore latest --target restored --verify`],
    restic: knows ? [`restic -r ${at} snapshots`, `restic -r ${at} restore latest --target restored --verify`] : [],
  };
}

const quoted = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
