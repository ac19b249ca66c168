/**
 * Selected entries of a folder: the way to each below the folder, as a joined list of names (byte-list.ts). Undefined:
 * everything in it.
 */
import { joinList, splitList } from '../../platform/byte-list.ts';
import type { Node } from '../../repository/tree/node.ts';

export type Selection = readonly Uint8Array[] | undefined;

/** The names, read as "latin1", that are selected in the folder or lie on the way to what is. */
export const selectionNames = (selection: readonly Uint8Array[]): ReadonlySet<string> =>
  new Set(selection.map((way) => splitList(way)[0].toString('latin1')));

/** The nodes that are selected, or lie on the way to what is. */
export function selectNodes(selection: Selection, nodes: readonly Node[]): readonly Node[] {
  if (!selection) return nodes;
  const wanted = selectionNames(selection);
  return nodes.filter((node) => wanted.has(node.name.toString('latin1')));
}

/** What is selected in the folder `name`: everything, when that folder itself is. */
export function selectionIn(selection: Selection, name: Buffer): Selection {
  if (!selection) return undefined;
  const found: Uint8Array[] = [];
  for (const way of selection) {
    const names = splitList(way);
    if (!names[0].equals(name)) continue;
    if (names.length === 1) return undefined;
    found.push(joinList(names.slice(1)));
  }
  return found;
}

/** Whether the entry `name` itself is selected, not only something below it. */
export const isSelected = (selection: readonly Uint8Array[], name: Buffer): boolean =>
  selection.some((way) => {
    const names = splitList(way);
    return names.length === 1 && names[0].equals(name);
  });
