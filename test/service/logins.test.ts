import { describe, expect, test } from 'vitest';
import { fail } from '../../src/contract/errors.ts';
import { LoginAttempts } from '../../src/service/login-attempts.ts';
import { type LoginMemory, Logins } from '../../src/service/logins.ts';
import { failureOf } from '../support/failure-of.ts';
import { FakeClock } from '../support/fake-clock.ts';

const cost = { N: 128, r: 8, p: 1 };
const hour = 60 * 60_000;
const day = 24 * hour;

class Memory implements LoginMemory {
  readonly kept = new Map<string, string>();

  recall(name: string): unknown {
    const text = this.kept.get(name);
    return text === undefined ? undefined : JSON.parse(text);
  }
  remember(name: string, value: unknown): void {
    this.kept.set(name, JSON.stringify(value));
  }
}

const setUp = async (...names: string[]): Promise<{ logins: Logins; clock: FakeClock; memory: Memory }> => {
  const clock = new FakeClock();
  const memory = new Memory();
  const logins = new Logins(memory, { clock, cost });
  for (const name of names) await logins.add(name, `password of ${name}`);
  return { logins, clock, memory };
};

describe('a login', () => {
  test('lets in whoever knows the password, and nobody else', async () => {
    const { logins } = await setUp('anna', 'bert');
    const secret = await logins.logIn('anna', 'password of anna', '1.1.1.1');
    expect(logins.admit(secret)).toMatchObject({ login: 'anna' });
    for (const wrong of ['', secret.slice(1), `${secret}A`, logins.list()[0].sessions[0].id]) expect(logins.admit(wrong)).toBeUndefined();
    for (const [name, password] of [
      ['anna', 'password of bert'],
      ['anna', 'Password of anna'],
      ['Anna', 'password of anna'],
      ['nobody', 'password of anna'],
      ['__proto__', ''],
    ]) {
      expect(await failureOf(logins.logIn(name, password, `address for ${name}`))).toBe('login-refused');
    }
  });

  test('is the same however the keyboard composes its letters', async () => {
    const { logins } = await setUp();
    await logins.add('J\u00fcrgen', 'gr\u00fcn und wei\u00df');
    await logins.logIn('Ju\u0308rgen', 'gru\u0308n und wei\u00df', '1.1.1.1');
  });

  test('is kept as a salted hash with what it was made with, and its sessions as hashes', async () => {
    const { logins, memory } = await setUp('anna', 'bert');
    const secret = await logins.logIn('anna', 'password of anna', '1.1.1.1');
    const [anna, bert] = memory.recall('logins') as { salt: string; hash: string; cost: object }[];
    expect(anna.cost).toEqual(cost);
    expect(anna.salt).not.toBe(bert.salt);
    for (const text of memory.kept.values()) expect(text).not.toMatch(new RegExp(`password of|${secret}`));
  });

  test('made with an older cost goes on, and new ones take the new one', async () => {
    const { memory, clock } = await setUp('anna');
    const logins = new Logins(memory, { clock, cost: { N: 256, r: 8, p: 1 } });
    await logins.logIn('anna', 'password of anna', '1.1.1.1');
    await logins.add('bert', 'password of bert');
    expect((memory.recall('logins') as { cost: { N: number } }[]).map((each) => each.cost.N)).toEqual([128, 256]);
  });

  test('cannot be made twice, not even at the same moment, nor removed twice', async () => {
    const { logins } = await setUp();
    const both = await Promise.all([failureOf(logins.add('anna', 'one password')), failureOf(logins.add('anna', 'another one'))]);
    expect(both.toSorted()).toEqual(['login-known', 'no failure']);
    logins.remove('anna');
    expect(() => logins.remove('anna')).toThrow(expect.objectContaining({ code: 'login-not-found' }));
    expect(() => logins.revoke('anna')).toThrow(expect.objectContaining({ code: 'login-not-found' }));
  });

  test('that is removed while somebody logs in lets nobody in', async () => {
    const { logins } = await setUp('anna');
    const attempt = failureOf(logins.logIn('anna', 'password of anna', '1.1.1.1'));
    logins.remove('anna');
    expect(await attempt).toBe('login-refused');
    expect(logins.list()).toEqual([]);
  });

  test('what was kept and cannot be read opens nothing, and costs nothing else', async () => {
    const { logins, memory } = await setUp('anna');
    const [anna] = memory.recall('logins') as object[];
    memory.remember('logins', [null, { name: 'x' }, { ...anna, name: 'odd', hash: 7 }, anna]);
    memory.remember('sessions', { not: 'a list' });
    await logins.logIn('anna', 'password of anna', '1.1.1.1');
    expect(await failureOf(logins.logIn('odd', 'password of anna', '1.1.1.2'))).toBe('login-refused');
  });
});

describe('a session', () => {
  test('ends after 7 days without use, and after 30 days in any case', async () => {
    const { logins, clock } = await setUp('anna');
    const idle = await logins.logIn('anna', 'password of anna', '1.1.1.1');
    const used = await logins.logIn('anna', 'password of anna', '1.1.1.2');
    for (let days = 0; days < 29; days++) {
      clock.jumpWall(day);
      expect(logins.admit(used)).toBeDefined();
      if (days === 6) expect(logins.admit(idle)).toBeUndefined();
    }
    clock.jumpWall(day);
    expect(logins.admit(used)).toBeUndefined();
    expect(logins.list()[0].sessions).toEqual([]);
  });

  test('that began under a clock far in the future ends when the clock is set right', async () => {
    const { logins, clock } = await setUp('anna');
    clock.jumpWall(4000 * day);
    const secret = await logins.logIn('anna', 'password of anna', '1.1.1.1');
    clock.jumpWall(-4000 * day);
    expect(logins.admit(secret)).toBeUndefined();
  });

  test('survives a small step of the clock backward, and a new service', async () => {
    const { logins, clock, memory } = await setUp('anna');
    const secret = await logins.logIn('anna', 'password of anna', '1.1.1.1');
    clock.jumpWall(-hour);
    expect(logins.admit(secret)).toBeDefined();
    expect(new Logins(memory, { clock, cost }).admit(secret)).toMatchObject({ login: 'anna' });
  });

  test('ends by logging out, by being revoked and with its login, and whoever listens is told', async () => {
    const { logins } = await setUp('anna', 'bert');
    const told: string[] = [];
    const stop = logins.onEnded((id) => void told.push(id));
    const begin = async (name: string): Promise<{ secret: string; id: string }> => {
      const secret = await logins.logIn(name, `password of ${name}`, '1.1.1.1');
      return { secret, id: logins.admit(secret)!.id };
    };
    const [one, two, three, four, other] = [
      await begin('anna'),
      await begin('anna'),
      await begin('anna'),
      await begin('anna'),
      await begin('bert'),
    ];
    logins.logOut(one.id);
    expect(told).toEqual([one.id]);
    expect(logins.revoke('anna')).toBe(3);
    expect(told).toEqual([one.id, two.id, three.id, four.id]);
    for (const { secret, id } of [one, two, three, four]) expect([logins.admit(secret), logins.goesOn(id)]).toEqual([undefined, false]);
    expect(logins.goesOn(other.id)).toBe(true);
    logins.remove('bert');
    expect(told.at(-1)).toBe(other.id);
    expect(logins.revoke(undefined)).toBe(0);
    stop();
  });

  test('a use is noted now and then only, for each note waits for the disk', async () => {
    const { logins, clock, memory } = await setUp('anna');
    const secret = await logins.logIn('anna', 'password of anna', '1.1.1.1');
    let writes = 0;
    const remember = memory.remember.bind(memory);
    memory.remember = (name, value) => {
      writes += 1;
      remember(name, value);
    };
    for (let minutes = 0; minutes < 60; minutes++) {
      clock.jumpWall(60_000);
      logins.admit(secret);
    }
    expect(writes).toBe(4);
  });

  test('is not ended by a full disk, which lets nobody in or out, though', async () => {
    const { logins, clock, memory } = await setUp('anna');
    const secret = await logins.logIn('anna', 'password of anna', '1.1.1.1');
    const { id } = logins.admit(secret)!;
    memory.remember = () => fail('state-failed', { path: 'state.db', cause: 'the disk is full' });
    clock.jumpWall(hour);
    expect([logins.admit(secret), logins.goesOn(id)]).toEqual([{ id, login: 'anna' }, true]);
    expect(await failureOf(logins.logIn('anna', 'password of anna', '1.1.1.1'))).toBe('state-failed');
    expect(() => logins.logOut(id)).toThrow(expect.objectContaining({ code: 'state-failed' }));
    expect(logins.goesOn(id)).toBe(true);
  });

  test('the oldest gives way when a login has too many', async () => {
    const { logins } = await setUp('anna');
    const secrets: string[] = [];
    for (let i = 0; i < 51; i++) secrets.push(await logins.logIn('anna', 'password of anna', '1.1.1.1'));
    expect(logins.list()[0].sessions).toHaveLength(50);
    expect(logins.admit(secrets[0])).toBeUndefined();
    expect(logins.admit(secrets[1])).toBeDefined();
  });
});

describe('guessing', () => {
  /** Tries until it has to wait; gives the number of tries and the seconds. */
  const pauseOf = async (attempt: () => Promise<string>): Promise<[tries: number, seconds: number]> => {
    for (let tries = 0; ; tries++) {
      const seconds = await attempt().then(
        () => undefined,
        (error: { code: string; context: { seconds: number } }) => (error.code === 'login-paused' ? error.context.seconds : undefined),
      );
      if (seconds !== undefined) return [tries, seconds];
    }
  };

  test('waits longer and longer: by name up to a minute, by address up to a quarter of an hour', async () => {
    const { logins, clock } = await setUp('anna');
    let address = 0;
    const byName: number[] = [];
    const byAddress: number[] = [];
    for (const [pauses, attempt] of [
      [byName, () => logins.logIn('anna', 'wrong', `address ${++address}`)],
      [byAddress, () => logins.logIn(`name ${++address}`, 'wrong', '6.6.6.6')],
    ] as const) {
      const [free, first] = await pauseOf(attempt);
      expect(free).toBe(5);
      pauses.push(first);
      for (let round = 0; round < 11; round++) {
        await clock.advance(pauses.at(-1)! * 1000);
        const [tries, seconds] = await pauseOf(attempt);
        expect(tries).toBe(1);
        pauses.push(seconds);
      }
    }
    expect(byName).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60]);
    expect(byAddress).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
  });

  test('the right password is not looked at while it has to wait, and then ends the waiting', async () => {
    const { logins, clock } = await setUp('anna');
    for (let i = 0; i < 5; i++) expect(await failureOf(logins.logIn('anna', 'wrong', '1.1.1.1'))).toBe('login-refused');
    expect(await failureOf(logins.logIn('anna', 'password of anna', '1.1.1.1'))).toBe('login-paused');
    await clock.advance(1000);
    await logins.logIn('anna', 'password of anna', '1.1.1.1');
    for (let i = 0; i < 5; i++) expect(await failureOf(logins.logIn('anna', 'wrong', '1.1.1.1'))).toBe('login-refused');
  });

  test('all at once gains nothing', async () => {
    const { logins } = await setUp('anna');
    const all = await Promise.all(Array.from({ length: 40 }, () => failureOf(logins.logIn('anna', 'wrong', '1.1.1.1'))));
    expect(all.filter((code) => code === 'login-refused')).toHaveLength(5);
    expect(all.filter((code) => code === 'login-paused')).toHaveLength(35);
  });

  test('from everywhere at once waits in a line that has an end', async () => {
    const { logins } = await setUp('anna');
    const all = await Promise.all(Array.from({ length: 40 }, (_, i) => failureOf(logins.logIn(`name ${i}`, 'wrong', `address ${i}`))));
    expect(all.filter((code) => code === 'login-refused')).toHaveLength(16);
    expect(all.filter((code) => code === 'login-paused')).toHaveLength(24);
  });

  test('a name that does not exist waits as one that does, and takes as much work', async () => {
    const logins = new Logins(new Memory(), { clock: new FakeClock(), cost: { N: 2 ** 14, r: 8, p: 1 } });
    await logins.add('anna', 'password of anna');
    const workOf = async (name: string): Promise<number> => {
      const before = process.cpuUsage();
      for (let i = 0; i < 5; i++) expect(await failureOf(logins.logIn(name, 'wrong', `${name} ${i}`))).toBe('login-refused');
      expect(await failureOf(logins.logIn(name, 'wrong', `${name} 5`))).toBe('login-paused');
      return process.cpuUsage(before).user;
    };
    expect(await workOf('nobody')).toBeGreaterThan((await workOf('anna')) / 2);
  });

  test('is remembered for a day, by monotonic time, and of so many only', async () => {
    const clock = new FakeClock();
    const attempts = new LoginAttempts(clock, { longestPauseMs: day, most: 100 });
    for (let i = 0; i < 6; i++) attempts.begin('one');
    expect(attempts.pause('one')).toBe(2000);
    clock.jumpWall(10 * day);
    expect(attempts.pause('one')).toBe(2000);
    for (let i = 0; i < 99; i++) attempts.begin(`other ${i}`);
    expect(attempts.pause('one')).toBe(2000);
    attempts.begin('one more');
    expect([attempts.pause('one'), attempts.size]).toEqual([0, 100]);
    for (let i = 0; i < 6; i++) attempts.begin('two');
    await clock.advance(day);
    attempts.begin('two');
    expect(attempts.pause('two')).toBe(0);
  });
});
