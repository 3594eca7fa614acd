import assert from 'node:assert/strict';
import { client, pythonFunction, register, run, surroundings } from './support/flow';
import { NodeRed } from './support/node-red';
import { useRuntime } from './support/runtime';

describe('What the dialogs ask of the runtime', () => {
  const red = useRuntime();

  describe('GET funcx/python', () => {
    it('tells which Python would be used', async () => {
      await red.load(surroundings());
      const { body } = await red.request.get('/funcx/python').expect(200);
      assert.equal(body.found, true);
      assert.match(body.version, /^3\.\d+\.\d+/);
      assert.match(body.executable, /^\//);
      assert.ok('dill' in body);
    });

    it('tells what to install when there is none at the path', async () => {
      await red.load(surroundings());
      const { body } = await red.request.get('/funcx/python').query({ path: '/nowhere/python' }).expect(200);
      assert.equal(body.found, false);
      assert.match(body.message, /\/nowhere\/python: not found/);
    });

    it('looks behind the name of an environment variable', async () => {
      process.env.FUNCX_TEST_PYTHON = 'python3';
      try {
        await red.load(surroundings());
        const { body } = await red.request.get('/funcx/python').query({ path: `\${FUNCX_TEST_PYTHON}` });
        assert.equal(body.found, true);
      } finally {
        delete process.env.FUNCX_TEST_PYTHON;
      }
    });
  });

  describe('POST funcx/inspect', () => {
    it('tells the functions of a source, and its parameters', async () => {
      await red.load(surroundings());
      const { body } = await red.request
        .post('/funcx/inspect')
        .send({ code: 'def f(x, y=1):\n    pass\n' })
        .expect(200);
      assert.equal(body.ok, true);
      assert.deepEqual(
        body.functions[0].parameters.map(({ name }: { name: string }) => name),
        ['x', 'y'],
      );
    });

    it('tells what is wrong with a source, on its line', async () => {
      await red.load(surroundings());
      const { body } = await red.request.post('/funcx/inspect').send({ code: 'def f():\n  return )\n' }).expect(200);
      assert.equal(body.ok, false);
      assert.equal(body.error.line, 2);
    });

    it('asks the interpreter of the client that is named', async () => {
      await red.load([...surroundings(), client({ id: 'broken', python: '/nowhere/python' })]);
      const question = { code: 'x', client: 'broken' };
      const { body } = await red.request.post('/funcx/inspect').send(question).expect(503);
      assert.match(body.message, /\/nowhere\/python/);
      await red.request
        .post('/funcx/inspect')
        .send({ ...question, python: 'python3' })
        .expect(200);
    });

    it('refuses what is no source', async () => {
      await red.load(surroundings());
      for (const body of [{}, { code: 5 }]) await red.request.post('/funcx/inspect').send(body).expect(400);
    });
  });

  describe('GET funcx/functions', () => {
    it('finds the registered functions of a deployed client', async () => {
      await red.load([...surroundings(), register()]);
      for (const name of ['score', 'other']) red.send('register', { payload: `def ${name}(x):\n    return x\n` });
      await red.out.take(2);
      const { body } = await red.request.get('/funcx/functions').query({ client: 'client', q: 'score' }).expect(200);
      assert.deepEqual(
        body.results.map(({ function_name }: { function_name: string }) => function_name),
        ['score'],
      );
    });

    it('works for a client that no node uses, which is closed again after it', async () => {
      await red.load(surroundings());
      const { body } = await red.request.get('/funcx/functions').query({ client: 'client' }).expect(200);
      assert.equal(body.total, 0);
    });

    it('says that the flow is to be deployed when the client is not', async () => {
      await red.load(surroundings());
      const { body } = await red.request.get('/funcx/functions').query({ client: 'new' }).expect(404);
      assert.match(body.message, /new is not deployed/);
    });
  });

  describe('GET funcx/counts', () => {
    it('tells how many tasks of a client are pending, done and failed, as RED.events does', async () => {
      await red.load([...surroundings(), pythonFunction('def f(x):\n    return 1 / x\n'), run()]);
      const events = red.events('funcx:counts');
      for (const payload of [0, 1, 2]) red.send('run', { payload });
      await red.out.take(2);
      await red.caught.first();
      const { body } = await red.request.get('/funcx/counts').query({ client: 'client' }).expect(200);
      const counts = { pending: 0, queued: 0, blocked: 0, done: 2, failed: 1, dropped: 0 };
      assert.deepEqual(body, counts);
      const last = await events.find(({ done, failed }) => done === 2 && failed === 1);
      assert.deepEqual(last, { client: 'client', name: 'here', ...counts });
    });
  });

  describe('GET funcx/endpoints', () => {
    it('tells the endpoints by name, with their state', async () => {
      await red.load([...surroundings(), pythonFunction('def f(x):\n    return x\n'), run()]);
      const { body } = await red.request.get('/funcx/endpoints').query({ client: 'client' }).expect(200);
      assert.equal(body.length, 1);
      assert.match(body[0].uuid, /^[0-9a-f-]{36}$/);
      assert.deepEqual([body[0].display_name, body[0].status], ['here', 'online']);
    });
  });
});

describe('The admin routes of a Node-RED with users', function () {
  this.timeout(30_000);
  const red = new NodeRed();

  /** Tokens that are names of their permissions. */
  const settings =
    "adminAuth: { type: 'credentials', users: [], tokens: async (token) => ({ username: token, permissions: token.split(',') }) }, httpAdminRoot: '/admin'";

  before(() => red.start({ flow: surroundings().filter(({ type }) => type !== 'helper'), settings }));
  after(() => red.dispose());

  const routes: readonly [path: string, permission: string, body?: unknown][] = [
    ['/funcx/python', 'funcx-client.read'],
    ['/funcx/python?path=python3', 'funcx-client.write'],
    ['/funcx/inspect', 'funcx-function.write', { code: 'x = 1' }],
    ['/funcx/functions?client=client', 'funcx-client.read'],
    ['/funcx/counts?client=client', 'funcx-client.read'],
    ['/funcx/endpoints?client=client', 'funcx-client.read'],
  ];

  for (const [path, permission, body] of routes) {
    const ask = async (token?: string) =>
      (await red.ask(`/admin${path}`, { body, headers: token ? { authorization: `Bearer ${token}` } : {} })).status;

    it(`${path} asks for the permission ${permission}`, async () => {
      assert.equal(await ask(), 401);
      assert.equal(await ask('flows.read,flows.write'), 401);
      assert.equal(await ask(permission), 200);
    });
  }
});
