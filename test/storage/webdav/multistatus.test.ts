import { describe, expect, test } from 'vitest';
import type { HttpAnswer } from '../../../src/storage/http/exchange.ts';
import { pathParts, readMultistatus, type Resource } from '../../../src/storage/webdav/multistatus.ts';
import { multistatus, resource } from '../../support/odd-dav.ts';

/** Reads a body in pieces of this many bytes. */
async function read(text: string | Buffer, pieceBytes = 1 << 20): Promise<Resource[]> {
  const body = Buffer.from(text as string);
  const answer: HttpAnswer = {
    status: 207,
    header: () => undefined,
    drop: () => undefined,
    async *pieces() {
      for (let at = 0; at < body.length; at += pieceBytes) yield body.subarray(at, at + pieceBytes);
    },
  };
  const found: Resource[] = [];
  await readMultistatus(answer, '/repo/keys/', (each) => void found.push(each));
  return found;
}

const modified = Date.parse('Fri, 02 Jan 2026 03:04:05 GMT');
const folder = { path: ['repo', 'keys'], isFolder: true, size: undefined, modified };

describe('a multistatus', () => {
  test('is read in pieces of any size, with any prefixes, as Apache, Nextcloud and IIS write it', async () => {
    const apache = `<?xml version="1.0" encoding="utf-8"?>
<D:multistatus xmlns:D="DAV:" xmlns:ns0="DAV:">
<D:response xmlns:lp1="DAV:" xmlns:lp2="http://apache.org/dav/props/" xmlns:g0="DAV:">
<D:href>/repo/keys/</D:href>
<D:propstat><D:prop><lp1:resourcetype><D:collection/></lp1:resourcetype>
<lp1:getlastmodified>Fri, 02 Jan 2026 03:04:05 GMT</lp1:getlastmodified></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>
<D:propstat><D:prop><g0:getcontentlength/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>
</D:response>
<D:response xmlns:lp1="DAV:"><D:href>/repo/keys/a%20b&amp;%C3%A4</D:href><D:propstat><D:prop><lp1:resourcetype/>
<lp1:getcontentlength>993</lp1:getcontentlength></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>
</D:multistatus>`;
    const nextcloud = `\ufeff<?xml version="1.0"?><!-- <x> --><multistatus xmlns='DAV:' xmlns:s="http://sabredav.org/ns" xmlns:oc="http://owncloud.org/ns"><response>
<href>/repo/keys/</href><propstat><prop><resourcetype><collection/></resourcetype><oc:getcontentlength>5</oc:getcontentlength>
<getlastmodified>Fri, 02 Jan 2026 03:04:05 GMT</getlastmodified></prop><status>HTTP/1.1 200 OK</status></propstat></response>
<response><href><![CDATA[/repo/keys/a%20b&%c3%a4]]></href><propstat><prop><resourcetype></resourcetype><getcontentlength> 993 </getcontentlength>
</prop><status>HTTP/1.1 200</status></propstat></response></multistatus>`;
    const iis = `<?xml version="1.0" encoding="utf-8"?><a:multistatus xmlns:b="urn:uuid:c2f41010-65b3-11d1-a29f-00aa00c14882/" xmlns:a="DAV:"><a:response><a:href>http://other:8080/repo/keys/</a:href>
<a:propstat><a:status>HTTP/1.1 200 OK</a:status><a:prop><a:getlastmodified b:dt="dateTime.rfc1123">Fri, 02 Jan 2026 03:04:05 GMT</a:getlastmodified><a:resourcetype><a:collection/></a:resourcetype></a:prop></a:propstat></a:response>
<a:response><a:href>a%20b&#38;%C3%A4</a:href><a:propstat><a:prop><a:getcontentlength b:dt="int">993</a:getcontentlength><a:resourcetype/></a:prop><a:status>HTTP/1.1 200 OK</a:status></a:propstat></a:response></a:multistatus>`;
    const file = { path: ['repo', 'keys', 'a b&ä'], isFolder: false, size: 993, modified: undefined };
    for (const text of [apache, nextcloud, iis])
      for (const size of [1, 2, 3, 7, 100, 10_000]) expect(await read(text, size)).toEqual([folder, file]);
  });

  test('counts only what belongs to DAV and was found', async () => {
    const text = `<D:multistatus xmlns:D="DAV:" xmlns:x="http://x/"><D:response><D:href>/a</D:href><x:href>/b</x:href><D:propstat><D:prop>
<D:resourcetype><x:collection/></D:resourcetype><x:getcontentlength>5</x:getcontentlength></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>
<D:propstat><D:prop><D:getcontentlength>7</D:getcontentlength></D:prop><D:status>HTTP/1.1 403 Forbidden</D:status></D:propstat></D:response></D:multistatus>`;
    expect(await read(text)).toEqual([{ path: ['a'], isFolder: false, size: undefined, modified: undefined }]);
  });

  test('leaves out what is gone meanwhile', async () => {
    expect(await read(multistatus(['<D:response><D:href>/x</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>']))).toEqual(
      [],
    );
  });

  const inside = (text: string): string => multistatus([text]);
  test.each([
    ['a page', '<html><body>Log in</body></html>'],
    ['nothing', ''],
    ['no XML', 'Hello'],
    ['a multistatus of something else', '<multistatus xmlns="http://x/"></multistatus>'],
    ['a multistatus of nothing', '<multistatus></multistatus>'],
    ['a prefix without a namespace', '<D:multistatus><D:response/></D:multistatus>'],
    ['half a document', multistatus([resource('/a', 1)]).slice(0, -5)],
    ['two documents', multistatus([]) + multistatus([])],
    ['something behind it', `${multistatus([])}x`],
    ['a document type', `<!DOCTYPE x [<!ENTITY a "b">]>${multistatus([])}`],
    ['an entity of its own', inside(resource('/&a;', 1))],
    ['a broken tag', inside('<D:response <D:href>')],
    ['ends in the wrong order', inside('<D:response><D:href></D:response></D:href>')],
    ['a resource without an address', inside('<D:response><D:propstat/></D:response>')],
    ['an address that is none', inside(resource('http://[/', 1))],
    ['a resource without a type', inside('<D:response><D:href>/a</D:href></D:response>')],
    [
      'a resource of which nothing can be told',
      inside('<D:response><D:href>/a</D:href><D:status>HTTP/1.1 507 Insufficient Storage</D:status></D:response>'),
    ],
    ['an endless text', `<D:multistatus xmlns:D="DAV:">${'x'.repeat(3_000_000)}`],
    ['an endless tag', `<D:multistatus xmlns:D="DAV:"><a ${'b="c" '.repeat(300_000)}`],
    ['endless depth', `<D:multistatus xmlns:D="DAV:">${'<a>'.repeat(100)}`],
  ])('that is or has %s is refused', async (_, text) => {
    await expect(read(text, 65_536)).rejects.toThrow(SyntaxError);
  });

  test('that is not UTF-8 is refused', async () => {
    await expect(read(Buffer.from(inside(resource('/\u00e4', 1)), 'latin1'))).rejects.toThrow(SyntaxError);
  });

  test.each(['-5', '1.5', 'many', '', '99999999999999999999'])('with a length of %j has none there', async (length) => {
    expect((await read(inside(resource('/a', length))))[0]!.size).toBeUndefined();
  });

  test('of 100,000 files takes its time once', async () => {
    const text = multistatus(Array.from({ length: 100_000 }, (_, n) => resource(`/repo/keys/${n}`, n)));
    expect(await read(text, 16_384)).toHaveLength(100_000);
  });
});

test('a path is taken apart, whatever stands in it', () => {
  expect(pathParts('//a%2Fb/%FF/c%20d/')).toEqual(['a/b', '%FF', 'c d']);
});
