/** The hub on a real port, before whatever comes over the network. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApp } from '../../../../dist/lib/hub/http/app.js';
import { HubServer, type HubServerOptions } from '../../../../dist/lib/index.js';
import { HttpLab, type User } from './fixture.js';
import { Wire } from './wire.js';

/** Clients are waited for this long in these tests, so that one need not wait for the real times. */
const HURRIED = { headers: 400, request: 800, silence: 60_000, betweenRequests: 400 };

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
