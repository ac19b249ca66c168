/** One page of a listing, in the words of S3's ListObjectsV2, and of its older form, with which some servers answer. */
import { readBytes } from '../http/body.ts';
import type { HttpAnswer } from '../http/exchange.ts';
import type { ListedObject } from '../objects/bucket.ts';
import { childrenOf, parseXml, textOf, type XmlElement } from '../objects/xml.ts';

export interface Page {
  readonly objects: readonly ListedObject[];
  /** The parameters that ask for the next page; undefined after the last. */
  readonly next: Readonly<Record<string, string>> | undefined;
}

/** A thousand keys of a thousand bytes, each of which may be escaped, and what stands around them. */
const longestPage = 16 << 20;

/** `misunderstood` is called with what is wrong with the page, and throws. */
export async function parsePage(answer: HttpAnswer, misunderstood: (cause: string) => never): Promise<Page> {
  const { bytes, isTooLong } = await readBytes(answer, longestPage);
  if (isTooLong) misunderstood('its listing has no end');
  const root = parsed(bytes.toString('utf8'), misunderstood);
  if (root.name !== 'ListBucketResult') misunderstood('it answers with something else than a listing');
  const objects = childrenOf(root, 'Contents').map((element): ListedObject => {
    const key = element.children.find(({ name }) => name === 'Key')?.text;
    const size = textOf(element, 'Size') ?? '';
    if (key === undefined || !/^\d{1,15}$/.test(size)) return misunderstood('its listing holds an object without a name or a size');
    return { key, size: Number(size) };
  });
  return { objects, next: nextOf(root, objects, misunderstood) };
}

function parsed(text: string, misunderstood: (cause: string) => never): XmlElement {
  try {
    return parseXml(text);
  } catch {
    return misunderstood('it answers with something else than a listing');
  }
}

function nextOf(root: XmlElement, objects: readonly ListedObject[], misunderstood: (cause: string) => never): Page['next'] {
  const isTruncated = textOf(root, 'IsTruncated');
  if (isTruncated === 'false') return undefined;
  if (isTruncated !== 'true') return misunderstood('its listing does not say whether it is whole');
  const token = textOf(root, 'NextContinuationToken');
  if (token !== undefined && token !== '') return { 'continuation-token': token };
  const marker = root.children.find(({ name }) => name === 'NextMarker')?.text ?? objects.at(-1)?.key;
  return marker === undefined ? misunderstood('its listing is not whole and does not say how it goes on') : { marker };
}
