/** What a plan says of one path: whether a backup takes it, and by which rule it does not. */
import { lstatSync, type Stats } from 'node:fs';
import type { Protection } from '../../contract/catalogue.ts';
import type { Plan } from '../../contract/plan.ts';
import { compileExcludes, createExcluder } from '../../engine/backup/exclude.ts';
import { acrossFileSystems, isTooLarge } from '../../engine/backup/exclude-facts.ts';
import { createTagFinder } from '../../engine/backup/exclude-tags.ts';
import { nameText } from '../../engine/backup/name-text.ts';
import { isInside, joinPath, splitPath } from '../../platform/byte-paths.ts';
import { formatBytes } from '../../platform/sizes.ts';
import { patternsLeavingOut } from '../plans/own-folders.ts';
import { inSnapshots } from './paths.ts';

type Rule = Protection['plans'][number]['because'];

/**
 * `path` is absolute, as snapshots have it, `local` the same as this computer has it. `leftOut`: folders and files of Holdfast's own.
 * `isFolder`: what it was, should it not be there now.
 */
export function ruleFor(plan: Plan, path: Buffer, local: Buffer, leftOut: readonly string[], isFolder: boolean): Rule {
  const sources = plan.sources.map((source) => source.path);
  const bytesOf = (source: string): Buffer => Buffer.from(inSnapshots(source));
  const around = sources.filter((source) => isInside(path, bytesOf(source)));
  if (around.length === 0) {
    const within = sources.filter((source) => isInside(bytesOf(source), path));
    return within.length > 0 ? { rule: 'above', sources: within } : { rule: 'outside' };
  }
  // A source that lies in another one is stored whatever leaves it out there.
  const rules = around.map((source) =>
    ruleIn(plan, source, splitPath(path).slice(splitPath(bytesOf(source)).length), local, leftOut, isFolder),
  );
  return rules.find(({ rule }) => rule === 'source') ?? rules[0];
}

function ruleIn(plan: Plan, source: string, names: readonly Buffer[], local: Buffer, leftOut: readonly string[], wasFolder: boolean): Rule {
  const { excludes } = plan;
  const root = Buffer.from(source);
  const own = patternsLeavingOut(leftOut, plan);
  /** In the order in which they are looked at: each with what it is called. */
  const parts = [
    ...excludes.presets.map((preset) => ({ rules: compileExcludes({ presets: [preset] }), by: preset })),
    ...excludes.patterns.map((pattern) => ({ rules: compileExcludes({ patterns: [pattern] }), by: pattern })),
    ...own.map((pattern) => ({ rules: compileExcludes({ patterns: [pattern] }), by: 'Holdfast itself' })),
    ...excludes.patternsIgnoringCase.map((pattern) => ({ rules: compileExcludes({ patternsIgnoringCase: [pattern] }), by: pattern })),
  ];
  const all = createExcluder({ ...emptyRules, patterns: parts.flatMap(({ rules }) => rules.patterns) }, root);
  const { tags } = compileExcludes({ ifPresent: excludes.ifPresent, caches: excludes.caches });
  const finder = createTagFinder(tags, () => {});
  let folder = all.root;
  let here: Buffer = root;
  let way: Buffer = Buffer.alloc(0);
  const sourceFacts = factsAt(root);
  let above = sourceFacts;
  for (const [depth, name] of names.entries()) {
    const isLast = depth === names.length - 1;
    const tagged = tags.length > 0 ? finder.find(here) : undefined;
    here = isLast ? local : joinPath(here, name);
    way = joinPath(way, name);
    const facts = factsAt(here);
    const isFolder = !isLast || (facts ? facts.isDirectory() : wasFolder);
    const excluded = (by: string): Rule => ({ rule: 'excluded', source, by, at: inSnapshots(nameText(here)) });
    if (folder.excludes(name, isFolder)) {
      const by = parts.findLast(({ rules }) => createExcluder(rules, root).excludes(way, isFolder))?.by ?? parts.at(-1)!.by;
      return excluded(by);
    }
    if (tagged?.(name)) return excluded(tags.map((tag) => tag.name).join(', '));
    if (facts && isTooLarge(excludes.largerThan, facts.size, isFolder)) return excluded(`larger than ${formatBytes(excludes.largerThan!)}`);
    if (excludes.oneFileSystem && facts && above && sourceFacts) {
      const verdict = acrossFileSystems(facts.dev, above.dev, sourceFacts.dev, isFolder);
      if (verdict === 'leave-out' || (verdict === 'store-empty' && !isLast)) return excluded('another file system');
    }
    if (facts) above = facts;
    folder = folder.enter(name);
  }
  return { rule: 'source', source };
}

const emptyRules = { tags: [], largerThan: null, oneFileSystem: false } as const;

/** Undefined for what is not there, or may not be looked at. */
function factsAt(path: Buffer): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
