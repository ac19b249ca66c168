/**
 * Reads `WWW-Authenticate` (RFC 9110, 11.6.1): in what ways a server lets one sign in. Several may stand in one header, and
 * several headers count as one, joined by commas.
 */

export interface Challenge {
  /** In lower case, such as `basic` or `digest`. */
  readonly scheme: string;
  /** By their names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const token = String.raw`[!#$%&'*+.^_\`|~0-9A-Za-z-]+`;
const quotedText = String.raw`"(?:[^"\\]|\\[^])*"`;
/** Behind it: an end, a comma or the next word. */
const parameter = new RegExp(String.raw`(${token})[ \t]*=[ \t]*(?:(${quotedText})|(${token}))`, 'y');
const scheme = new RegExp(String.raw`(${token})(?:[ \t]+|(?=,|$))`, 'y');
/** What some schemes have instead of parameters: `Negotiate YII==`. */
const token68 = /[A-Za-z0-9._~+/-]+=*[ \t]*(?=,|$)/y;
const separator = /[ \t,]*/y;

/** The challenges in order. What cannot be read ends them. */
export function readChallenges(header: string): Challenge[] {
  const found: { readonly scheme: string; readonly parameters: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match) at = pattern.lastIndex;
    return match ?? undefined;
  };
  for (;;) {
    take(separator);
    if (at >= header.length) return found;
    const current = found.at(-1);
    const named = current && take(parameter);
    if (named) {
      // The first of two counts: what comes later may be somebody's attempt to change it.
      const name = named[1].toLowerCase();
      if (!current.parameters.has(name)) current.parameters.set(name, named[2] === undefined ? named[3] : unquoted(named[2]));
      continue;
    }
    const begun = take(scheme);
    if (!begun) return found;
    found.push({ scheme: begun[1].toLowerCase(), parameters: new Map() });
    const begin = at;
    // A parameter looks the same up to its equals sign.
    if (!take(parameter)) take(token68);
    else at = begin;
  }
}

/** The parameters of a header that holds nothing else, such as `Authentication-Info`. */
export function readParameters(header: string): ReadonlyMap<string, string> {
  return readChallenges(`x ${header}`)[0]?.parameters ?? new Map();
}

const unquoted = (text: string): string => text.slice(1, -1).replaceAll(/\\([^])/g, '$1');
