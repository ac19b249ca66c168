/** In what two nodes differ besides their content. Source: restic 0.18, Node.Equals. */
import type { ExtendedAttribute, Node } from '../../repository/tree/node.ts';

export const metadataFields = [
  'mode',
  'mtime',
  'atime',
  'ctime',
  'uid',
  'gid',
  'user',
  'group',
  'inode',
  'deviceId',
  'size',
  'links',
  'linkTarget',
  'device',
  'extendedAttributes',
  'genericAttributes',
  'error',
] as const;
export type MetadataField = (typeof metadataFields)[number];

const sameBytes = (a: Buffer | undefined | null, b: Buffer | undefined | null): boolean =>
  a && b ? a.equals(b) : (a ?? null) === (b ?? null);

function sameAttributes(a: readonly ExtendedAttribute[], b: readonly ExtendedAttribute[]): boolean {
  if (a.length !== b.length) return false;
  const named = new Map(a.map(({ name, value }) => [name.toString('latin1'), value]));
  return b.every(({ name, value }) => {
    const other = named.get(name.toString('latin1'));
    return other !== undefined && sameBytes(other, value);
  });
}

const same: Readonly<Record<MetadataField, (a: Node, b: Node) => boolean>> = {
  mode: (a, b) => a.mode === b.mode,
  mtime: (a, b) => a.mtimeNs === b.mtimeNs,
  atime: (a, b) => a.atimeNs === b.atimeNs,
  ctime: (a, b) => a.ctimeNs === b.ctimeNs,
  uid: (a, b) => a.uid === b.uid,
  gid: (a, b) => a.gid === b.gid,
  user: (a, b) => a.user === b.user,
  group: (a, b) => a.group === b.group,
  inode: (a, b) => a.inode === b.inode,
  deviceId: (a, b) => a.deviceId === b.deviceId,
  size: (a, b) => a.size === b.size,
  links: (a, b) => a.links === b.links,
  linkTarget: (a, b) => sameBytes(a.linkTarget, b.linkTarget),
  device: (a, b) => a.device === b.device,
  extendedAttributes: (a, b) => sameAttributes(a.xattrs, b.xattrs),
  genericAttributes: (a, b) => a.genericAttributes === b.genericAttributes,
  error: (a, b) => a.error === b.error,
};

/** Bits of {@link metadataFields}. */
export function differingMetadata(a: Node, b: Node): number {
  let bits = 0;
  for (let i = 0; i < metadataFields.length; i++) if (!same[metadataFields[i]](a, b)) bits |= 1 << i;
  return bits;
}
