import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { FunctionId, FunctionRegistration, ServiceError } from '../../../dist/lib/index.js';
import { Lab, WAIT_FOR_ANSWER } from './fixture.js';

const META = { python_version: '3.8.0', sdk_version: '3.3.0', serde_identifier: 'st' };
const GROUP = '6f1d2c30-b499-41ea-91c1-0a0ee5aecb35';

/** Largest registration. Source: Globus Compute documentation, "Limits". */
const LIMIT = 10 * 1024 * 1024;

function registration(name: string, source: string, more: Partial<FunctionRegistration> = {}): FunctionRegistration {
  const body = `st\n${name}:${source}`;
  return { function_name: name, function_code: `${[...body].length}\n${body}`, meta: META, ...more };
}

describe("the hub's functions", () => {
  let lab: Lab;

  before(async () => {
    lab = await Lab.open({ workers: 1 });
  });
  after(() => lab.clean());

  async function register(name: string, source: string, more: Partial<FunctionRegistration> = {}): Promise<FunctionId> {
    return (await lab.hub.registerFunction(registration(name, source, more))).function_uuid as FunctionId;
  }

  async function found(q: string, offset = 0, limit = 10): Promise<string[]> {
    const page = await lab.hub.searchFunctions(q, offset, limit);
    return page.results.map((hit) => hit.function_name);
  }

  describe('registered', () => {
    it('are given back as they came, with the fields of the service', async () => {
      const id = await register('f', 'def f():\n    return "✓😀"\n', { description: 'says yes' });
      assert.deepEqual(await lab.hub.getFunction(id), {
        function_uuid: id,
        function_name: 'f',
        description: 'says yes',
        function_code: '30\nst\nf:def f():\n    return "✓😀"\n',
        metadata: { python_version: '3.8.0', sdk_version: '3.3.0' },
      });
    });

    it('twice with the same content have one id, after a restart too', async () => {
      const id = await register('f', 'def f(): pass', { description: 'd', group: GROUP });
      assert.equal(await register('f', 'def f(): pass', { group: GROUP, description: 'd' }), id);
      await lab.client.close();
      await lab.hub.close();
      await lab.reopen();
      assert.equal(await register('f', 'def f(): pass', { description: 'd', group: GROUP }), id);
    });

    it('twice at the same moment have one id, and are found once', async () => {
      const ids = await Promise.all(Array.from({ length: 20 }, () => register('same', 'def same(): pass')));
      assert.equal(new Set(ids).size, 1);
      assert.deepEqual(await found('same'), ['same']);
      assert.equal((await lab.hub.getFunction(ids[7] as FunctionId)).function_uuid, ids[0]);
    });

    it('with any difference have ids of their own', async () => {
      const ids = [
        await register('f', 'def f(): pass'),
        await register('g', 'def f(): pass'),
        await register('f', 'def f():  pass'),
        await register('f', 'def f(): pass', { description: 'x' }),
        await register('f', 'def f(): pass', { public: true }),
        await register('f', 'def f(): pass', { group: GROUP }),
      ];
      assert.equal(new Set(ids).size, ids.length);
    });

    for (const [what, body, code, status] of [
      ['no name', registration('', 'x'), 'REQUEST_MALFORMED', 400],
      ['a name that is too long', registration('n'.repeat(1025), 'x'), 'REQUEST_MALFORMED', 400],
      ['no code', { ...registration('f', ''), function_code: '' }, 'REQUEST_MALFORMED', 400],
      [
        'too much code',
        { ...registration('f', ''), function_code: 'é'.repeat(LIMIT / 2 + 1) },
        'FUNCTION_TOO_LARGE',
        413,
      ],
      ['a group that is no UUID', registration('f', 'x', { group: 'chemists' }), 'INVALID_UUID', 400],
    ] as const) {
      it(`with ${what} are refused`, async () => {
        await assert.rejects(lab.hub.registerFunction(body), (error: ServiceError) => {
          assert.deepEqual([error.code, error.httpStatus], [code, status]);
          return true;
        });
      });
    }

    it('with the longest name and the largest code are taken', async () => {
      const name = '😀'.repeat(1024);
      const id = await register(name, 'def f(): pass');
      assert.equal((await lab.hub.getFunction(id)).function_name, name);
      const code = 'x'.repeat(LIMIT);
      const { function_uuid } = await lab.hub.registerFunction({ function_name: 'f', function_code: code, meta: META });
      assert.equal((await lab.hub.getFunction(function_uuid as FunctionId)).function_code, code);
    });

    it('keep a NUL in their texts', async () => {
      const id = await register('a\0b', 'def f(): pass', { description: 'before\0afterwards' });
      const { function_name, description } = await lab.hub.getFunction(id);
      assert.deepEqual([function_name, description], ['a\0b', 'before\0afterwards']);
      assert.deepEqual(await found('afterwards'), ['a\0b']);
    });
  });

  it('unknown are FUNCTION_NOT_FOUND, and what is no id is INVALID_UUID', async () => {
    const id = randomUUID() as string as FunctionId;
    await assert.rejects(lab.hub.getFunction(id), { code: 'FUNCTION_NOT_FOUND', httpStatus: 404, errorArgs: [id] });
    await assert.rejects(lab.hub.getFunction('add' as FunctionId), { code: 'INVALID_UUID', httpStatus: 400 });
  });

  describe('deleted', () => {
    it('are 302, unknown ones and those deleted before 404: in the body, as the service answers', async () => {
      const id = await register('f', 'def f(): pass');
      assert.deepEqual(await lab.hub.deleteFunction(id), { result: 302 });
      assert.deepEqual(await lab.hub.deleteFunction(id), { result: 404 });
      assert.deepEqual(await lab.hub.deleteFunction(randomUUID() as string as FunctionId), { result: 404 });
    });

    it('are gone: for reading, for searching, and for new tasks', async () => {
      const id = await register('gone', 'def gone(): return 1');
      await lab.client.run({ functionId: id });
      await lab.hub.deleteFunction(id);
      await assert.rejects(lab.hub.getFunction(id), { code: 'FUNCTION_NOT_FOUND' });
      await assert.rejects(lab.client.run({ functionId: id }), { code: 'FUNCTION_NOT_FOUND' });
      assert.deepEqual(await found('gone'), []);
      assert.notEqual(await register('gone', 'def gone(): return 1'), id);
    });

    it('are gone in whatever case their id was written', async () => {
      const id = await register('f', 'def f(): return 1');
      assert.deepEqual(await lab.hub.deleteFunction(id.toUpperCase() as FunctionId), { result: 302 });
      await assert.rejects(lab.hub.getFunction(id), { code: 'FUNCTION_NOT_FOUND' });
    });

    it('while tasks of theirs run and wait, are run to the end', async () => {
      const bell = await lab.bell();
      const id = await register('wait_for_answer', WAIT_FOR_ANSWER);
      const outcomes = [1, 2, 3].map(
        (text) =>
          new Promise((resolve) =>
            lab.client.submit({ functionId: id, args: [bell.path, text] }, (outcome) =>
              resolve(outcome.status === 'success' ? outcome.result : outcome.error.message),
            ),
          ),
      );
      const first = await bell.next();
      assert.deepEqual(await lab.hub.deleteFunction(id), { result: 302 });
      await assert.rejects(lab.client.run({ functionId: id, args: [bell.path, 4] }), { code: 'FUNCTION_NOT_FOUND' });
      first.answer();
      (await bell.next()).answer();
      (await bell.next()).answer();
      assert.deepEqual(await Promise.all(outcomes), [1, 2, 3]);
    });
  });

  describe('searched', () => {
    it('come with the fields of the search index', async () => {
      const id = await register('area', 'def area(r):\n    return r', { description: 'of a circle', public: true });
      const page = await lab.hub.searchFunctions('circle', 0, 10);
      const [hit] = page.results;
      assert.ok(hit?.created_at !== undefined && !Number.isNaN(Date.parse(hit.created_at)));
      assert.ok(hit.author.length > 0);
      assert.deepEqual(page, {
        results: [
          {
            function_uuid: id,
            function_name: 'area',
            function_source: 'def area(r):\n    return r',
            description: 'of a circle',
            author: hit.author,
            public: true,
            group: '',
            created_at: hit.created_at,
          },
        ],
        count: 1,
        total: 1,
        offset: 0,
        has_next_page: false,
      });
    });

    it('come with the best match first: in the name, then the description, then the source', async () => {
      await register('one', 'def one():\n    return "spectrum"');
      await register('spectrum', 'def spectrum(): pass');
      await register('two', 'def two(): pass', { description: 'makes a spectrum' });
      assert.deepEqual(await found('spectrum'), ['spectrum', 'two', 'one']);
    });

    it('are found by the beginning of a word, by any of the words, by author, in either case', async () => {
      await register('detect_peaks', 'def detect_peaks(): pass', { description: 'Finds maxima' });
      await register('fit', 'def fit(): pass', { description: 'Fits a curve' });
      assert.deepEqual(await found('PEAK'), ['detect_peaks']);
      assert.deepEqual((await found('curve maxima')).sort(), ['detect_peaks', 'fit']);
      const author = (await lab.hub.searchFunctions('fit', 0, 1)).results[0]?.author ?? '';
      assert.ok((await found(author, 0, 1000)).includes('fit'));
    });

    it('are found by words in any script', async () => {
      await register('größe', 'def größe(): pass', { description: 'Übergröße' });
      await register('spectre', 'def spectre(): pass', { description: 'анализ спектра' });
      assert.deepEqual(await found('größe'), ['größe']);
      assert.deepEqual(await found('спектра'), ['spectre']);
    });

    for (const q of [
      '"',
      'a AND',
      'NOT',
      'NEAR(a b)',
      'name:x',
      '*',
      'a^2',
      '(',
      '-',
      "';--",
      'a OR OR',
      '{x}',
      'a+b',
      '\0',
      '😀',
    ]) {
      it(`take ${JSON.stringify(q)} as text, whatever it means to the index`, async () => {
        await register('other', 'def other(): pass');
        const page = await lab.hub.searchFunctions(q, 0, 10);
        assert.equal(page.results.length, page.count);
      });
    }

    it('take operators as words that are looked for', async () => {
      await register('logical', 'def logical(): pass', { description: 'this unless that' });
      await register('or', 'def negation(): pass', { description: 'that' });
      assert.deepEqual(await found('OR'), ['or']);
      assert.deepEqual(await found('unless'), ['logical']);
    });

    it('with an empty query are all, the newest first', async () => {
      for (const name of ['first', 'second', 'third']) await register(name, `def ${name}(): pass`);
      assert.deepEqual(await found('', 0, 3), ['third', 'second', 'first']);
      assert.deepEqual(await found('  ', 0, 3), ['third', 'second', 'first']);
      const { total } = await lab.hub.searchFunctions('', 0, 1);
      assert.equal((await found('', 0, 1000)).length, total);
    });

    it('come in pages', async () => {
      for (let i = 0; i < 5; i++) await register(`page${i}`, `def page${i}(): pass`);
      assert.deepEqual(await found('', 1, 3), ['page3', 'page2', 'page1']);
      const pages = [];
      for (let offset = 0; offset <= 6; offset += 2) pages.push(await lab.hub.searchFunctions('page', offset, 2));
      assert.deepEqual(
        pages.map(({ count, total, offset, has_next_page }) => [offset, count, total, has_next_page]),
        [
          [0, 2, 5, true],
          [2, 2, 5, true],
          [4, 1, 5, false],
          [6, 0, 5, false],
        ],
      );
      const ids = pages.flatMap(({ results }) => results.map((hit) => hit.function_uuid));
      assert.equal(new Set(ids).size, 5);
    });

    for (const [offset, limit] of [
      [-1, 10],
      [0, 0],
      [0.5, 10],
      [0, Number.NaN],
      [9_999, 2],
    ] as const) {
      it(`refuse an offset of ${offset} with a limit of ${limit}`, async () => {
        await assert.rejects(lab.hub.searchFunctions('', offset, limit), {
          code: 'REQUEST_MALFORMED',
          httpStatus: 400,
        });
      });
    }

    it('can be paged through up to 10,000', async () => {
      assert.equal((await lab.hub.searchFunctions('', 9_990, 10)).count, 0);
    });
  });
});
