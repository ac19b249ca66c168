/**
 * Nodes and trees as restic 0.18 writes them, byte for byte: the same folder gives the same tree blob, whoever backs it up.
 * Field order and what is left out when empty follow restic's Node; the texts follow Go's encoding/json.
 */

import { isUtf8 } from 'node:buffer';
import { jsonBytes, jsonString } from './go-json.ts';
import { quotedNameJson } from './go-quote.ts';
import { localTime, type TimeFormat } from './go-time.ts';
import { idBytes, idDigits } from '../ids.ts';
import type { ExtendedAttribute, Node } from './node.ts';

/** The JSON object of `node`, without its `raw`. `time` says in which zone times are written; this process's if left out. */
export function formatNode(node: Node, time: TimeFormat = localTime): string {
  const mtime = time.format(node.mtimeNs);
  const atime = node.atimeNs === node.mtimeNs ? mtime : time.format(node.atimeNs);
  const ctime = node.ctimeNs === node.mtimeNs ? mtime : time.format(node.ctimeNs);
  let out = `{"name":${quotedNameJson(node.name)},"type":"${node.type}"`;
  if (node.mode !== 0) out += `,"mode":${node.mode}`;
  out += `,"mtime":"${mtime}","atime":"${atime}","ctime":"${ctime}","uid":${node.uid},"gid":${node.gid}`;
  if (node.user !== '') out += `,"user":${jsonString(node.user)}`;
  if (node.group !== '') out += `,"group":${jsonString(node.group)}`;
  if (node.inode !== 0n) out += `,"inode":${node.inode}`;
  if (node.deviceId !== 0n) out += `,"device_id":${node.deviceId}`;
  if (node.size !== 0) out += `,"size":${node.size}`;
  if (node.links !== 0) out += `,"links":${node.links}`;
  if (node.linkTarget !== undefined && node.linkTarget.length > 0) out += linkTargetFields(node.linkTarget);
  if (node.xattrs.length > 0) out += `,"extended_attributes":[${node.xattrs.map(xattrText).join(',')}]`;
  if (node.genericAttributes !== undefined) out += `,"generic_attributes":${node.genericAttributes}`;
  if (node.device !== 0n) out += `,"device":${node.device}`;
  out += `,"content":${node.content === null ? 'null' : contentText(node.content)}`;
  if (node.subtree !== null) out += `,"subtree":"${node.subtree.toString('hex')}"`;
  if (node.error !== undefined && node.error !== '') out += `,"error":${jsonString(node.error)}`;
  return `${out}}`;
}

function linkTargetFields(target: Buffer): string {
  const text = `,"linktarget":${jsonBytes(target)}`;
  return isUtf8(target) ? text : `${text},"linktarget_raw":"${target.toString('base64')}"`;
}

function xattrText({ name, value }: ExtendedAttribute): string {
  return `{"name":${jsonBytes(name)},"value":${value === null ? 'null' : `"${value.toString('base64')}"`}}`;
}

/** The JSON list of IDs that stand one after the other. */
export function contentText(ids: Buffer): string {
  if (ids.length === 0) return '[]';
  const hex = ids.toString('hex');
  if (ids.length === idBytes) return `["${hex}"]`;
  let out = `["${hex.substring(0, idDigits)}`;
  for (let at = idDigits; at < hex.length; at += idDigits) out += `","${hex.substring(at, at + idDigits)}`;
  return `${out}"]`;
}

/** Characters of node text that are encoded at once: few calls, and far below the longest string there can be. */
const BATCH_CHARS = 1 << 16;

/**
 * Assembles a tree blob from nodes that are formatted already: texts of {@link formatNode}, or the `raw` bytes of nodes that did
 * not change. They must come strictly ascending by the bytes of their names. Texts are encoded as they come, so that a folder of
 * a million files costs little more than its blob.
 */
export class TreeWriter {
  readonly #parts: Uint8Array[] = [];
  #batch = '{"nodes":[';
  #separator = '';

  add(node: string | Uint8Array): void {
    if (typeof node === 'string') {
      this.#batch += this.#separator + node;
      if (this.#batch.length >= BATCH_CHARS) this.#flush();
    } else {
      this.#batch += this.#separator;
      this.#flush();
      this.#parts.push(node);
    }
    this.#separator = ',';
  }

  /** The whole blob; the writer is of no use afterwards. */
  finish(): Buffer {
    this.#batch += ']}\n';
    this.#flush();
    return Buffer.concat(this.#parts);
  }

  #flush(): void {
    this.#parts.push(Buffer.from(this.#batch, 'utf8'));
    this.#batch = '';
  }
}

/** The tree blob of `nodes`; see {@link TreeWriter}. */
export function formatTree(nodes: readonly (string | Uint8Array)[]): Buffer {
  const writer = new TreeWriter();
  for (const node of nodes) writer.add(node);
  return writer.finish();
}
