import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import manifest from '../../../package.json';
import { environmentIn, type HubReport } from '../../interop/support/hub';
import { Program } from '../../interop/support/program';

const COMMAND = join(__dirname, '../../..', manifest.bin['node-red-funcx']);

describe('the command hub', function () {
  // A hub takes seconds to start on a busy machine, and some tests start two.
  this.timeout(40_000);

  const programs: Program[] = [];
  let data: string;
  beforeEach(() => {
    data = mkdtempSync(join(tmpdir(), 'funcx-command-'));
  });
  afterEach(async () => {
    for (const program of programs.splice(0)) await program.killAll();
    rmSync(data, { recursive: true, force: true });
  });

  function command(...args: string[]): Program {
    const program = new Program('the command', [process.execPath, COMMAND, ...args], { env: { FUNCX_HUB_AMQP: '' } });
    programs.push(program);
    return program;
  }

  const hub = (...args: string[]) => command('hub', '--data', data, '--port', '0', '--workers', '1', ...args);

  async function reportOf(program: Program): Promise<HubReport> {
    return JSON.parse((await program.said(/^\{"url":.*\}$/m))[0]) as HubReport;
  }

  async function tokenOf({ url, environment }: HubReport): Promise<string> {
    const { GLOBUS_COMPUTE_CLIENT_ID: id, GLOBUS_COMPUTE_CLIENT_SECRET: secret } = environment;
    const scope = 'https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all';
    const response = await fetch(`${url}/v2/oauth2/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope }),
    });
    assert.equal(response.status, 200);
    return ((await response.json()) as { access_token: string }).access_token;
  }

  it('says how it is used', async () => {
    const program = command('hub', '--help');
    assert.equal(await program.ended(), 0);
    assert.match(program.output, /^Usage: npx @funcx\/node-red-funcx hub/);
  });

  it('refuses what it does not know, and shows no password', async () => {
    const unknown = command('hub', '--prot', '5000');
    assert.equal(await unknown.ended(), 2);
    assert.match(unknown.output, /--prot/);
    const wrong = hub('--amqp', 'http://user:hunter2@somewhere');
    assert.equal(await wrong.ended(), 2);
    assert.match(wrong.output, /amqp:\/\//);
    assert.doesNotMatch(wrong.output, /hunter2/);
  });

  it('prints the lines to paste, keeps the secret to its owner, and shows it once', async () => {
    const first = hub();
    await first.said(/client ids to those only/);
    const file = join(data, 'client.sh');
    assert.match(first.output, new RegExp(`^ {2}\\. ${file}$`, 'm'));
    const { GLOBUS_COMPUTE_CLIENT_SECRET: secret = '' } = environmentIn(file);
    assert.ok(secret !== '' && first.output.includes(secret));
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(await first.end('SIGINT'), 0);
    const second = hub();
    await second.said(/client ids to those only/);
    assert.equal(environmentIn(file).GLOBUS_COMPUTE_CLIENT_SECRET, secret);
    assert.ok(!second.output.includes(secret));
  });

  it('stops when it is told to, and goes on where it was', async () => {
    const first = hub('--json');
    const before = await reportOf(first);
    const registered = await fetch(`${before.url}/v3/functions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await tokenOf(before)}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        function_name: 'f',
        function_code: '22\nst\nf:def f(): return 1',
        meta: { python_version: '3.11.2', sdk_version: '4.15.0', serde_identifier: 'st' },
      }),
    });
    const { function_uuid: id } = (await registered.json()) as { function_uuid: string };
    assert.equal(await first.end('SIGTERM'), 0);

    const after = await reportOf(hub('--json'));
    assert.equal(after.endpoint, before.endpoint);
    assert.equal(after.environment.GLOBUS_COMPUTE_CLIENT_ID, before.environment.GLOBUS_COMPUTE_CLIENT_ID);
    const found = await fetch(`${after.url}/v2/functions/${id}`, {
      headers: { authorization: `Bearer ${await tokenOf(after)}` },
    });
    assert.equal(found.status, 200);
  });

  it('issues a client id for one more user', async () => {
    const program = hub('--json', '--issue', 'carol');
    const report = await reportOf(program);
    const [, id = '', secret = ''] = await program.said(/^\{"issued":"carol","id":"(.*?)","secret":"(.*?)"\}$/m);
    const environment = { GLOBUS_COMPUTE_CLIENT_ID: id, GLOBUS_COMPUTE_CLIENT_SECRET: secret };
    assert.notEqual(id, report.environment.GLOBUS_COMPUTE_CLIENT_ID);
    await tokenOf({ ...report, environment });
  });

  it('says which port is taken, and which folder', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const refused = command('hub', '--data', data, '--workers', '0', '--port', String(port));
    assert.equal(await refused.ended(), 1);
    assert.match(refused.output, new RegExp(`127\\.0\\.0\\.1:${port}`));
    server.close();
    await reportOf(hub('--json'));
    const second = hub('--json');
    assert.equal(await second.ended(), 1);
    assert.match(second.output, /hub\.db/);
  });
});
