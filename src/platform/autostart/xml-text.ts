/** Text between the tags of XML. */
import { HoldfastError } from '../../contract/errors.ts';

/** Throws `autostart-failed` for characters that XML 1.0 has no way to write (2.2). */
export function xmlText(text: string): string {
  if (/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u.test(text)) {
    throw new HoldfastError('autostart-failed', { cause: 'a path holds characters that cannot be written down there' });
  }
  return text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/[\r\n\t]/g, (c) => `&#${c.charCodeAt(0)};`);
}
