// examples/subscribe.js against a stub of wx, and, where GRANTS_SOCKET names a web server, with the real examples/grants.php.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const source = readFileSync(new URL('../../examples/subscribe.js', import.meta.url));
const { createSubscription } = await import(`data:text/javascript;base64,${source.toString('base64')}`);

console.warn = () => {};

/** A phone: what wx keeps, and what the user answers when he is asked. */
function phone(answer) {
  const storage = new Map();
  const asked = [];
  let tapping = false;
  globalThis.wx = {
    getStorageSync: (key) => storage.get(key) ?? '',
    setStorageSync: (key, value) => storage.set(key, structuredClone(value)),
    requestSubscribeMessage: ({ tmplIds, success, fail }) => {
      if (!tapping) {
        fail({ errMsg: 'requestSubscribeMessage:fail can only be invoked by user TAP gesture.' });
        return;
      }
      asked.push(tmplIds);
      setTimeout(() => {
        const given = answer(tmplIds);
        if (given.errCode) {
          fail(given);
        } else {
          success({ errMsg: 'requestSubscribeMessage:ok', ...given });
        }
      }, 1);
    },
  };
  const tap = (handler) => {
    tapping = true;
    try {
      return handler();
    } finally {
      tapping = false;
    }
  };
  return { asked, tap, kept: () => storage.get('routine_template_reports') ?? [] };
}

/** The shop's server: which templates it wants asked, and what it was told. */
function shop(ids) {
  const reports = [];
  const server = { reports, ids, down: null, fetched: 0 };
  server.fetchTemplates = async () => {
    server.fetched += 1;
    return server.ids;
  };
  server.report = async (body) => {
    if (server.down) {
      throw server.down;
    }
    reports.push(body);
  };
  return server;
}

const acceptAll = (ids) => Object.fromEntries(ids.map((id) => [id, 'accept']));

test('the result of a tap reaches the shop as it came, once', async () => {
  const { asked, tap, kept } = phone(acceptAll);
  const server = shop(['A', 'B']);
  const subscription = createSubscription(server);
  await subscription.prepare(['paid']);
  const answer = await tap(() => subscription.ask());
  await subscription.deliver();
  assert.deepEqual(asked, [['A', 'B']]);
  assert.deepEqual(answer.result, { errMsg: 'requestSubscribeMessage:ok', A: 'accept', B: 'accept' });
  assert.deepEqual(server.reports.map((report) => report.result), [answer.result]);
  assert.match(server.reports[0].click_id, /^[0-9a-z]+-[0-9a-z]+$/);
  assert.deepEqual(kept(), []);
});

test('nothing is awaited between the tap and the question', async () => {
  const { asked, tap } = phone(acceptAll);
  const subscription = createSubscription(shop(['A']));
  await subscription.prepare(['paid']);
  tap(() => subscription.ask());
  assert.equal(asked.length, 1, 'asked within the handler itself');
});

test('a report that did not arrive is kept and arrives later under the same click id', async () => {
  const { tap, kept } = phone(acceptAll);
  const server = shop(['A']);
  const subscription = createSubscription(server);
  await subscription.prepare(['paid']);
  server.down = new Error('no network');
  await tap(() => subscription.ask());
  await subscription.deliver();
  const [waiting] = kept();
  assert.deepEqual(waiting.result.A, 'accept');
  server.down = null;
  await subscription.prepare();
  assert.deepEqual(server.reports, [waiting]);
  assert.deepEqual(kept(), []);
});

test('a report that the server refuses does not hold up the next one', async () => {
  const { tap, kept } = phone(acceptAll);
  const server = shop(['A']);
  const subscription = createSubscription(server);
  await subscription.prepare(['paid']);
  server.down = Object.assign(new Error('bad request'), { status: 400 });
  await tap(() => subscription.ask());
  await subscription.deliver();
  assert.deepEqual(kept(), []);
  server.down = Object.assign(new Error('unavailable'), { status: 503 });
  await tap(() => subscription.ask());
  await subscription.deliver();
  assert.equal(kept().length, 1);
});

test('every failure resolves, says why, and reports nothing', async () => {
  for (const errCode of [10001, 10002, 10003, 10004, 10005, 20001, 20002, 20003, 20004, 20005]) {
    const { tap } = phone(() => ({ errCode, errMsg: 'requestSubscribeMessage:fail' }));
    const server = shop(['A']);
    const subscription = createSubscription(server);
    await subscription.prepare(['paid']);
    const { result, failure } = await tap(() => subscription.ask());
    await subscription.deliver();
    assert.equal(result, null);
    assert.deepEqual([failure.code, failure.openSettings], [errCode, errCode === 20004]);
    assert.ok(failure.text.includes('/'), failure.text);
    assert.deepEqual(server.reports, []);
  }
});

test('a client that takes fewer templates is asked for fewer', async () => {
  const { asked, tap } = phone((ids) => (ids.length > 1 ? { errCode: 20003, errMsg: 'fail' } : acceptAll(ids)));
  const subscription = createSubscription(shop(['A', 'B', 'C', 'D', 'E']));
  await subscription.prepare(['paid']);
  for (let i = 0; i < 3; i += 1) {
    await tap(() => subscription.ask());
  }
  assert.deepEqual(asked.map((ids) => ids.length), [5, 3, 1]);
});

test('a second tap while the question is open is the same question', async () => {
  const { asked, tap } = phone(acceptAll);
  const server = shop(['A']);
  const subscription = createSubscription(server);
  await subscription.prepare(['paid']);
  const answers = await tap(() => Promise.all([subscription.ask(), subscription.ask()]));
  await subscription.deliver();
  assert.equal(answers[0], answers[1]);
  assert.equal(asked.length, 1);
  assert.equal(server.reports.length, 1);
});

test('an order goes on where nobody can be asked', async () => {
  phone(acceptAll);
  const nothing = { result: null, failure: null };
  assert.deepEqual(await createSubscription(shop([])).ask(), nothing);
  delete globalThis.wx.requestSubscribeMessage;
  const old = createSubscription(shop(['A']));
  await old.prepare(['paid']);
  assert.deepEqual(await old.ask(), nothing);
  globalThis.wx = { ...globalThis.wx, requestSubscribeMessage: () => { throw new Error('broken'); } };
  assert.equal((await old.ask()).failure.code, 0);
  const offline = createSubscription({ fetchTemplates: async () => { throw new Error('offline'); }, report: async () => {} });
  await offline.prepare(['paid']);
  assert.deepEqual(await offline.ask(), nothing);
});

test('reports do not pile up on the phone', async () => {
  const { tap, kept } = phone(acceptAll);
  const server = shop(['A']);
  const subscription = createSubscription(server);
  await subscription.prepare(['paid']);
  server.down = new Error('no network');
  for (let i = 0; i < 25; i += 1) {
    await tap(() => subscription.ask());
  }
  assert.equal(kept().length, 20);
});

const socketPath = process.env.GRANTS_SOCKET;

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, headers: { 'Content-Type': 'application/json' } }, (response) => {
      let text = '';
      response.on('data', (chunk) => { text += chunk; });
      response.on('end', () => {
        if (response.statusCode === 200) {
          resolve(JSON.parse(text));
        } else {
          reject(Object.assign(new Error(text), { status: response.statusCode }));
        }
      });
    });
    sent.on('error', reject);
    sent.end(body === undefined ? '' : JSON.stringify(body));
  });
}

test('the phone and the real route work together', { skip: !socketPath }, async () => {
  const { asked, tap, kept } = phone(acceptAll);
  const subscription = createSubscription({
    fetchTemplates: (keys) => call('GET', `/grants.php?keys=${keys.join(',')}`),
    report: (body) => call('POST', '/grants.php', body),
  });
  await subscription.prepare(['order_pay_success', 'switched_off', '']);
  await tap(() => subscription.ask());
  await subscription.deliver();
  assert.deepEqual(kept(), []);
  assert.equal(asked[0].length, 1);
  // The same click once more, as after a lost answer.
  const again = { click_id: 'c1', result: { [asked[0][0]]: 'accept' } };
  assert.equal((await call('POST', '/grants.php', again)).duplicate, false);
  assert.equal((await call('POST', '/grants.php', again)).duplicate, true);
  await assert.rejects(call('POST', '/grants.php', { click_id: 'c2', result: 'nothing' }), { status: 400 });
});
