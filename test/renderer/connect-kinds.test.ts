import { expect, test } from 'vitest';
import {
  answersOf,
  type Answers,
  credentialsOf,
  missingFields,
  nameOf,
  placeOf,
  type ServerKind,
} from '../../renderer/features/connect/kinds.ts';

const places: [ServerKind, Answers, string][] = [
  ['sftp', { host: 'nas.home', user: 'anna', path: '/backup' }, 'sftp:anna@nas.home:/backup'],
  ['sftp', { host: 'nas.home', user: 'anna', path: 'backup' }, 'sftp:anna@nas.home:backup'],
  ['sftp', { host: 'fd00::5', user: 'a', path: '/b' }, 'sftp:a@[fd00::5]:/b'],
  ['sftp', { host: 'nas.home', user: 'anna', path: '/my backup', port: '2222' }, 'sftp://anna@nas.home:2222//my%20backup'],
  ['s3', { endpoint: ' s3.example.com/ ', bucket: 'b', prefix: '/laptop/' }, 's3:s3.example.com/b/laptop'],
  ['s3', { endpoint: 'http://minio:9000', bucket: 'b' }, 's3:http://minio:9000/b'],
  ['webdav', { url: 'https://cloud.example/dav/' }, 'webdav:https://cloud.example/dav/'],
  ['rest', { url: 'rest:https://nas:8000/' }, 'rest:https://nas:8000/'],
  ['azure', { container: 'c', prefix: '/p' }, 'azure:c:/p'],
  ['gs', { bucket: 'b' }, 'gs:b:/'],
  ['rclone', { remote: 'drive:', path: 'backup' }, 'rclone:drive:backup'],
];

test.each(places)('a place of kind %s is written as the service takes it', (kind, answers, place) => {
  expect(placeOf(kind, answers)).toBe(place);
});

test('credentials go by their names, empty ones not at all, and the edges of a password are its own', () => {
  expect(credentialsOf('sftp', { host: 'h', user: 'u', path: '/', password: ' secret ', keyFile: ' ' })).toEqual({
    HOLDFAST_SFTP_PASSWORD: ' secret ',
  });
  expect(credentialsOf('s3', { accessKey: ' AK ', secretKey: 'SK' })).toEqual({ AWS_ACCESS_KEY_ID: 'AK', AWS_SECRET_ACCESS_KEY: 'SK' });
});

test('what must be filled in is named', () => {
  expect(missingFields('sftp', { host: 'h' })).toEqual(['user', 'path']);
  expect(missingFields('webdav', { url: 'https://x/' })).toEqual([]);
});

test('a destination is called by its server, bucket or remote', () => {
  expect(nameOf('webdav', { url: 'https://cloud.example/dav/' })).toBe('cloud.example');
  expect(nameOf('rest', { url: 'nonsense' })).toBe('nonsense');
  expect(nameOf('s3', { bucket: 'my-backups' })).toBe('my-backups');
});

test.each(places)('the answers that lead to a place of kind %s are found again from how it is written', (kind, _, place) => {
  const found = answersOf(place);
  expect(found?.kind).toBe(kind);
  expect(placeOf(kind, found!.answers)).toBe(place);
});

test('a folder, and what nobody knows, lead to no server', () => {
  for (const place of ['/media/Blue/backup', 'C:\\backup', 'sftp:nas.home', 's3:nothing', 'ftp:x/y', ''])
    expect(answersOf(place)).toBeUndefined();
});
