/** The reasons that WebDAV servers give in XML, as words for a person. */
import { readBytes } from '../http/body.ts';
import type { HttpAnswer } from '../http/exchange.ts';
import { quoted } from '../objects/refusals.ts';
import { XmlStream } from './xml-stream.ts';

/** Errors are shorter than a page. */
const longestError = 64 * 1024;

/** Elements that hold a sentence: that of Nextcloud and all that stands on sabre/dav, and that of RFC 4918. */
const sentences = new Set(['http://sabredav.org/ns message', 'DAV: responsedescription', 'http://apache.org/dav/xmlns human-readable']);

/** The answer, whose body is now its reason in plain text where it was XML. Never fails for want of a reason. */
export async function withPlainReason(answer: HttpAnswer): Promise<HttpAnswer> {
  if (!/xml/.test(answer.header('content-type') ?? '')) return answer;
  const reason = await reasonOf(answer);
  return {
    status: answer.status,
    header: (name) => (name === 'content-type' ? 'text/plain' : answer.header(name)),
    drop: () => answer.drop(),
    async *pieces() {
      yield Buffer.from(reason);
    },
  };
}

async function reasonOf(answer: HttpAnswer): Promise<string> {
  let reason = '';
  const names: string[] = [];
  const reader = new XmlStream({
    open: (space, name) => void names.push(`${space} ${name}`),
    text: (text) => {
      if (sentences.has(names.at(-1)!)) reason += text;
    },
    close: () => void names.pop(),
  });
  try {
    const { bytes } = await readBytes(answer, longestError);
    reader.push(bytes.toString('utf8'));
  } catch {
    // The status alone, or what was read so far, has to do.
  }
  return quoted(reason);
}
