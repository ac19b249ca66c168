/** What a check found, in words for a person. */

export type Severity = 'error' | 'warning' | 'note';

export const findingCodes = [
  // errors: something cannot be restored, or a file of the repository is not what it should be
  'snapshot-damaged',
  'index-damaged',
  'key-damaged',
  'pack-missing',
  'pack-size',
  'pack-damaged',
  'pack-header',
  'blob-missing',
  'blob-damaged',
  'tree-damaged',
  // warnings: nothing is lost, but not as it should be
  'index-misnamed',
  // notes: untidy, nothing more; prune tidies up
  'pack-unindexed',
  'pack-mixed',
  'blob-copies',
] as const;
export type FindingCode = (typeof findingCodes)[number];

export interface Finding {
  readonly severity: Severity;
  readonly code: FindingCode;
  readonly message: string;
  /** 64 hex digits, as are the other IDs. */
  readonly pack?: string | undefined;
  readonly blob?: string | undefined;
  readonly snapshot?: string | undefined;
  readonly index?: string | undefined;
  readonly key?: string | undefined;
  /** The first few files and folders that it harms. */
  readonly paths: readonly string[];
}

/** A finding whose paths are still being looked for. */
export interface DraftFinding extends Finding {
  readonly paths: string[];
}

/** Findings of one code that are listed one by one; a ruined repository would have millions. */
const listedEach = 250;

export class Findings {
  readonly #drafts: DraftFinding[] = [];
  readonly #counts = new Map<FindingCode, { severity: Severity; count: number }>();

  /** Adds a finding. Returns it, or undefined when so many of its code are listed that it is only counted. */
  add(
    severity: Severity,
    code: FindingCode,
    message: string,
    about: Pick<Finding, 'pack' | 'blob' | 'snapshot' | 'index' | 'key'> = {},
  ): DraftFinding | undefined {
    this.count(severity, code, 1);
    if (this.#counts.get(code)!.count > listedEach) return undefined;
    const draft: DraftFinding = { severity, code, message, ...about, paths: [] };
    this.#drafts.push(draft);
    return draft;
  }

  /** Counts findings without listing them. */
  count(severity: Severity, code: FindingCode, more: number): void {
    if (more === 0) return;
    const entry = this.#counts.get(code) ?? { severity, count: 0 };
    entry.count += more;
    this.#counts.set(code, entry);
  }

  /** All that there are, the listed and the others. */
  total(severity: Severity): number {
    let sum = 0;
    for (const entry of this.#counts.values()) if (entry.severity === severity) sum += entry.count;
    return sum;
  }

  /** Errors first; what is only counted is told in one finding for each code. */
  list(): Finding[] {
    const all: Finding[] = [...this.#drafts];
    for (const [code, { severity, count }] of this.#counts) {
      const listed = this.#drafts.filter((draft) => draft.code === code).length;
      if (count > listed) all.push({ severity, code, message: `There are ${count - listed} more problems of this kind.`, paths: [] });
    }
    const rank: Record<Severity, number> = { error: 0, warning: 1, note: 2 };
    return all.sort((a, b) => rank[a.severity] - rank[b.severity]);
  }
}
