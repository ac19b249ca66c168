/** Why a name is left out: which of the excludes decides. */
import { fail } from '../../contract/errors.ts';
import type { Plan } from '../../contract/plan.ts';
import type { ProtectionRow } from '../../contract/files.ts';
import { compileExcludes, createExcluder, type Excluder, type ExcludeRules } from '../../engine/backup/exclude.ts';
import { excludePreset } from '../../engine/backup/exclude-presets.ts';

type LeftOut = NonNullable<ProtectionRow['leftOut']>;

interface Named {
  readonly leftOut: LeftOut;
  readonly rules: ExcludeRules;
}

export class ExcludeReasons {
  /** All together, as a backup has them. */
  readonly rules: ExcludeRules;
  /** In the order in which they count: the last that matches decides. */
  readonly #named: readonly Named[];

  /** `own`: patterns of Holdfast's own. Throws `bad-usage` for an exclude that means nothing. */
  constructor(excludes: Plan['excludes'], own: readonly string[]) {
    const { presets, patterns, patternsIgnoringCase, largerThan } = excludes;
    this.rules = compileExcludes({ ...excludes, patterns: [...patterns, ...own], largerThan: largerThan ?? undefined });
    const one = (leftOut: LeftOut, options: Parameters<typeof compileExcludes>[0]): Named => ({ leftOut, rules: compileExcludes(options) });
    this.#named = [
      ...presets.flatMap((name) => {
        const { patterns: exact, patternsIgnoringCase: folded } = excludePreset(name);
        const leftOut: LeftOut = { reason: 'preset', detail: name };
        return [
          ...exact.map((pattern) => one(leftOut, { patterns: [pattern] })),
          ...folded.map((pattern) => one(leftOut, { patternsIgnoringCase: [pattern] })),
        ];
      }),
      ...patterns.map((pattern) => one({ reason: 'pattern', detail: pattern }, { patterns: [pattern] })),
      ...own.map((pattern) => one({ reason: 'own', detail: '' }, { patterns: [pattern] })),
      ...patternsIgnoringCase.map((pattern) => one({ reason: 'pattern', detail: pattern }, { patternsIgnoringCase: [pattern] })),
    ];
  }

  /** For what is in a source. `way` is relative to it. */
  within(source: Buffer): (way: Buffer, isDirectory: boolean) => LeftOut {
    const excluders: (Excluder | undefined)[] = [];
    return (way, isDirectory) => {
      for (let i = this.#named.length - 1; i >= 0; i--) {
        const { leftOut, rules } = this.#named[i]!;
        excluders[i] ??= createExcluder(rules, source);
        if (excluders[i]!.excludes(way, isDirectory)) return leftOut;
      }
      return fail('internal', { cause: 'what is left out has a reason' });
    };
  }
}
