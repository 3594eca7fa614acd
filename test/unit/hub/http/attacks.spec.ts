/** What somebody can do to the hub who can only reach its port. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApp } from '../../../../dist/lib/hub/http/app.js';
import { HubServer, type HubServerOptions } from '../../../../dist/lib/index.js';
import { HttpLab, type User } from './fixture.js';

/** Clients are waited for this long in these tests, so that one need not wait for the real times. */
const HURRIED = { headers: 400, request: 800, silence: 60_000, betweenRequests: 400 };

/** A connection on which any bytes can be sent. */
class Wire {
  received = '';
  readonly closed: Promise<unknown>;

  private constructor(readonly socket: net.Socket) {
    socket.setEncoding('latin1');
    socket.on('data', (text) => {
      this.received += text;
    });
    socket.on('error', () => {}); // Told by its close.
    this.closed = new Promise((resolve) => socket.once('close', resolve));
  }

  static async to(port: number, localAddress = '127.0.0.1'): Promise<Wire> {
    const socket = net.connect({ port, host: '127.0.0.1', localAddress });
    await once(socket, 'connect');
    return new Wire(socket);
  }

  /** Sends lines that end as those of HTTP do. */
  lines(...lines: string[]): void {
    this.socket.write(lines.map((line) => `${line}\r\n`).join(''));
  }

  /** The next event of a kind, whatever else happens. */
  news(event: 'data' | 'drain'): Promise<unknown> {
    return new Promise((resolve) => this.socket.once(event, resolve));
  }

  /** Status line of the answer that comes first. */
  async status(): Promise<string> {
    while (!this.received.includes('\r\n')) await Promise.race([this.news('data'), this.closed.then(gone)]);
    return this.received.slice(0, this.received.indexOf('\r\n'));
  }
}

function gone(): never {
  throw new Error('The connection was closed without an answer.');
}

describe('a hub on the network', () => {
  let lab: HttpLab;
  let user: User;

  before(async () => {
    lab = await HttpLab.open();
    user = await lab.user('alice');
  });
  after(() => lab.clean());

  async function serving<T>(
    options: Partial<Omit<HubServerOptions, 'hub'>>,
    work: (server: HubServer) => Promise<T>,
  ): Promise<T> {
    const server = await HubServer.listen({ hub: lab.lab.hub, port: 0, rateLimit: false, ...options });
    try {
      return await work(server);
    } finally {
      await server.close();
    }
  }

  const authorized = () => `Authorization: Bearer ${user.token}`;

  async function isServed(port: number, localAddress?: string): Promise<boolean> {
    const wire = await Wire.to(port, localAddress);
    wire.lines('GET /v2/authenticate HTTP/1.1', 'Host: hub', authorized(), 'Connection: close', '');
    await wire.closed;
    return wire.received.startsWith('HTTP/1.1 200 OK');
  }

  it('listens on this machine alone, if nothing else is said', async () => {
    await serving({}, async ({ url, port }) => {
      assert.equal(url, `http://127.0.0.1:${port}`);
      assert.equal(await isServed(port), true);
    });
  });

  it('says so when its port is taken', async () => {
    await serving({}, async ({ port }) => {
      await assert.rejects(HubServer.listen({ hub: lab.lab.hub, port }), { code: 'LISTEN_FAILED' });
    });
  });

  describe('before a body of any size', () => {
    it('refuses who has no token without reading it', async () => {
      await serving({}, async ({ port }) => {
        const wire = await Wire.to(port);
        wire.lines(
          'POST /v3/functions HTTP/1.1',
          'Host: hub',
          'Content-Type: application/json',
          'Content-Length: 99999999999',
          '',
        );
        assert.match(await wire.status(), / 401 /);
        await wire.closed;
        assert.match(wire.received, /\r\nconnection: close\r\n/i);
      });
    });

    it('refuses at once what says to be too large', async () => {
      await serving({}, async ({ port }) => {
        const wire = await Wire.to(port);
        wire.lines(
          'POST /v3/functions HTTP/1.1',
          'Host: hub',
          authorized(),
          'Content-Type: application/json',
          'Content-Length: 99999999999',
          '',
        );
        assert.match(await wire.status(), / 413 /);
        await wire.closed;
      });
    });

    it('stops to read what never ends', async () => {
      await serving({}, async ({ port }) => {
        const wire = await Wire.to(port);
        wire.lines(
          'POST /v2/batch_status HTTP/1.1',
          'Host: hub',
          authorized(),
          'Content-Type: application/json',
          'Transfer-Encoding: chunked',
          '',
        );
        const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
        let sent = 0;
        const sending = (async () => {
          while (!wire.socket.destroyed) {
            if (!wire.socket.write(chunk)) await Promise.race([wire.news('drain'), wire.closed]);
            sent += chunk.length;
          }
        })();
        await wire.closed;
        await sending;
        assert.match(wire.received, /^HTTP\/1.1 413 /);
        assert.ok(sent < 64 * 1024 * 1024, `${sent} bytes were sent`);
      });
    });

    it('takes only so much of one user at once', async () => {
      await serving({}, async ({ port }) => {
        const wires: Wire[] = [];
        for (let i = 0; i < 5; i++) {
          const wire = await Wire.to(port);
          const url = `/v3/endpoints/${lab.endpoint}/submit`;
          wire.lines(
            `POST ${url} HTTP/1.1`,
            'Host: hub',
            authorized(),
            'Content-Type: application/json',
            'Content-Length: 22000000',
            '',
          );
          wires.push(wire);
        }
        const answered = await Promise.any(wires.map(async (wire) => ({ wire, status: await wire.status() })));
        assert.match(answered.status, / 503 /);
        assert.match(answered.wire.received, /\r\nretry-after: 1\r\n/i);
        assert.equal(wires.filter(({ received }) => received !== '').length, 1);
        assert.equal(await isServed(port), true);
        for (const { socket } of wires) socket.destroy();
      });
    });
  });

  describe('with many connections', () => {
    it('serves other addresses while one holds more than a thousand, and that one again when they have timed out', async function () {
      if (process.platform !== 'linux') this.skip(); // Others have no 127.0.0.2.
      this.timeout(30_000);
      // Long enough for all of them to come before the first has to go.
      await serving({ patience: { ...HURRIED, headers: 4000, request: 5000 } }, async ({ port }) => {
        const wires: (Wire | undefined)[] = [];
        // In waves, as the system takes only so many at a time for a server that has not accepted them yet.
        while (wires.length < 1100) {
          const wave = Array.from({ length: 100 }, () => Wire.to(port).catch(() => undefined));
          wires.push(...(await Promise.all(wave)));
        }
        assert.equal(await isServed(port, '127.0.0.2'), true);
        await Promise.all(wires.map((wire) => wire?.closed));
        assert.equal(await isServed(port), true);
      });
    });

    it('closes those on which nothing is asked any more', async () => {
      await serving({ patience: HURRIED }, async ({ port }) => {
        const wire = await Wire.to(port);
        wire.lines('GET /v2/authenticate HTTP/1.1', 'Host: hub', authorized(), '');
        assert.match(await wire.status(), / 200 /);
        await wire.closed;
      });
    });
  });

  describe('before slow clients', () => {
    /** Sends a byte every now and then, for as long as it can. */
    async function drip(wire: Wire, text: string): Promise<void> {
      while (!wire.socket.destroyed) {
        wire.socket.write(text);
        await Promise.race([sleep(20), wire.closed]);
      }
    }

    it('waits for headers no longer than it says', async () => {
      await serving({ patience: HURRIED }, async ({ port }) => {
        const wire = await Wire.to(port);
        wire.lines('GET /v2/authenticate HTTP/1.1', 'Host: hub');
        await drip(wire, 'X-Slow: 1\r\n');
        assert.match(wire.received, /^HTTP\/1.1 408 /);
      });
    });

    it('waits for a body no longer than it says', async () => {
      await serving({ patience: HURRIED }, async ({ port }) => {
        const wire = await Wire.to(port);
        wire.lines(
          'POST /v3/functions HTTP/1.1',
          'Host: hub',
          authorized(),
          'Content-Type: application/json',
          'Content-Length: 1000000',
          '',
        );
        await drip(wire, ' ');
        assert.doesNotMatch(wire.received, / 200 /);
      });
    });

    it('does not wait for one who reads nothing of his answer', async () => {
      const patience = { ...HURRIED, silence: 400 };
      const app = await createApp({ hub: lab.lab.hub, rateLimit: false, patience });
      try {
        await app.listen({ host: '127.0.0.1', port: 0 });
        const connected: Promise<[net.Socket]> = once(app.server, 'connection') as never;
        const wire = await Wire.to((app.server.address() as net.AddressInfo).port);
        const [served] = await connected;
        const left = once(served, 'close');
        wire.socket.pause();
        // Many answers, until no more fit in between.
        wire.socket.write(`GET /openapi.json HTTP/1.1\r\nHost: hub\r\n${authorized()}\r\n\r\n`.repeat(1000));
        await left;
        wire.socket.destroy();
      } finally {
        await app.close();
      }
    });
  });

  describe('before requests that two servers could read differently', () => {
    const body = '{}';
    for (const [what, lines] of [
      ['two lengths', ['Content-Length: 2', 'Content-Length: 3']],
      ['a length and chunks', ['Content-Length: 2', 'Transfer-Encoding: chunked']],
      ['an encoding that is not chunked at last', ['Transfer-Encoding: chunked, identity']],
      ['a length that is no number', ['Content-Length: +2']],
      ['a space before the colon', ['Content-Length : 2']],
      ['a header over two lines', ['X-Folded: a', ' b', 'Content-Length: 2']],
      ['a NUL in a header', ['X-Nul: a\0b', 'Content-Length: 2']],
      ['headers that are too large', [`X-Large: ${'x'.repeat(20_000)}`, 'Content-Length: 2']],
    ] as const) {
      it(`refuses ${what}, and reads nothing more on that connection`, async () => {
        await serving({}, async ({ port }) => {
          const wire = await Wire.to(port);
          wire.lines(
            'POST /v2/batch_status HTTP/1.1',
            'Host: hub',
            authorized(),
            'Content-Type: application/json',
            ...lines,
            '',
            body,
          );
          wire.lines('GET /v2/authenticate HTTP/1.1', 'Host: hub', authorized(), '');
          await wire.closed;
          assert.match(wire.received, /^HTTP\/1.1 (400|431) /);
          assert.doesNotMatch(wire.received, / 200 /);
        });
      });
    }

    it('refuses one without a host', async () => {
      await serving({}, async ({ port }) => {
        const wire = await Wire.to(port);
        wire.lines('GET /v2/authenticate HTTP/1.1', authorized(), '');
        assert.match(await wire.status(), / 400 /);
        await wire.closed;
      });
    });
  });

  it('gives no page in a browser a right to ask', async () => {
    const preflight = await user.send({
      method: 'OPTIONS',
      url: '/v3/functions',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    assert.equal(preflight.status, 401);
    const answer = await user.send({
      method: 'GET',
      url: '/v2/authenticate',
      headers: { origin: 'https://evil.example', authorization: `Bearer ${user.token}` },
    });
    assert.deepEqual(
      Object.keys(answer.headers).filter((name) => name.startsWith('access-control')),
      [],
    );
  });

  it('believes no proxy that was not asked: addresses are those of the connection', async () => {
    const other = await HttpLab.open({ rateLimit: { requests: 2, seconds: 10 } });
    try {
      const statuses: number[] = [];
      for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) {
        const headers = { 'x-forwarded-for': address, 'content-type': 'application/x-www-form-urlencoded' };
        const answer = await other.send({ method: 'POST', url: '/v2/oauth2/token', headers, payload: 'a=b' });
        statuses.push(answer.status);
      }
      assert.deepEqual(statuses, [401, 401, 429]);
    } finally {
      await other.clean();
    }
  });

  describe('tells no secret', () => {
    it('in an answer to what went wrong inside: that is for its operator alone', async () => {
      const { hub } = lab.lab;
      const { version } = hub;
      hub.version = () => Promise.reject(new TypeError('password=swordfish in /home/operator'));
      try {
        const { status, body, text } = await user.request('GET', '/v2/version');
        assert.deepEqual([status, body.code], [500, 'INTERNAL_ERROR']);
        assert.doesNotMatch(text, /swordfish|operator|TypeError/);
        const [fault] = lab.faults.splice(0);
        assert.match(String(fault), /swordfish/);
        assert.equal(JSON.stringify({ ...fault }).includes(user.token), false);
      } finally {
        hub.version = version;
      }
    });

    it('in a refusal: neither token nor secret is repeated', async () => {
      for (const [url, token] of [
        ['/v2/functions/x', user.token],
        [`/v2/${user.token}`, user.token],
        [`/v2/endpoints?role=${user.token}`, user.token],
        ['/v2/version', `${user.token}x`],
      ] as const) {
        const { text } = await user.send({ method: 'GET', url, headers: { authorization: `Bearer ${token}` } });
        assert.equal(text.includes(user.token), false, text);
      }
      const { clientId, clientSecret } = user.credentials;
      const { text } = await lab.signIn({ clientId, clientSecret: `${clientSecret}x` }, { scope: clientSecret });
      assert.equal(text.includes(clientSecret), false);
      const wrongScope = await lab.signIn({ clientId, clientSecret }, { scope: clientSecret });
      assert.equal(wrongScope.text.includes(clientSecret), false);
    });
  });

  it('ends what is being answered when it closes, and is gone within two seconds whatever clients do', async () => {
    const server = await HubServer.listen({ hub: lab.lab.hub, port: 0, rateLimit: false });
    const idle = await Wire.to(server.port);
    const half = await Wire.to(server.port);
    half.lines(
      'POST /v3/functions HTTP/1.1',
      'Host: hub',
      authorized(),
      'Content-Type: application/json',
      'Content-Length: 10',
      '',
    );
    assert.equal(await isServed(server.port), true);
    await server.close();
    await Promise.all([idle.closed, half.closed]);
    await assert.rejects(Wire.to(server.port), { code: 'ECONNREFUSED' });
  });
});
