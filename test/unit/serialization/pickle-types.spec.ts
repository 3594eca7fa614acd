import assert from 'node:assert/strict';
import { readPickle } from '../../../lib/serialization/index.js';
import { usePython } from './python.js';

const PROTOCOLS = [0, 1, 2, 3, 4, 5];

describe('Python objects in a pickle', () => {
  const python = usePython();

  const values: [expression: string, value: unknown][] = [
    ['complex(1, -2.5)', { real: 1, imag: -2.5 }],
    ['range(1, 10, 2)', { start: 1, stop: 10, step: 2 }],
    ['slice(1, None)', { start: 1, stop: null, step: null }],
    ['decimal.Decimal("1.10")', '1.10'],
    ['fractions.Fraction(-1, 3)', '-1/3'],
    ['uuid.UUID("01234567-89ab-cdef-0123-456789abcdef")', '01234567-89ab-cdef-0123-456789abcdef'],
    ['uuid.UUID(int=5)', '00000000-0000-0000-0000-000000000005'],
    ['pathlib.PurePosixPath("/tmp/a/b.txt")', '/tmp/a/b.txt'],
    ['pathlib.PurePosixPath("a")', 'a'],
    ['pathlib.PurePosixPath()', '.'],
    ['pathlib.PureWindowsPath("C:\\\\a\\\\b")', 'C:\\a\\b'],
    ['collections.OrderedDict(b=1, a=2)', { b: 1, a: 2 }],
    ['collections.OrderedDict([(1, 2)])', new Map([[1, 2]])],
    ['collections.defaultdict(list, x=[1])', { x: [1] }],
    ['collections.Counter("abca")', { a: 2, b: 1, c: 1 }],
    ['collections.deque([1, 2, 3], 5)', [1, 2, 3]],
    ['datetime.timedelta(days=1, seconds=1, microseconds=5)', 86401.000005],
    ['datetime.timedelta(microseconds=-1)', -0.000001],
    ['[uuid.UUID(int=1)] * 2', ['00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000001']],
    [
      '[{i: uuid.UUID(int=i)} for i in (1, 1)] * 2',
      Array.from({ length: 4 }, () => new Map([[1, '00000000-0000-0000-0000-000000000001']])),
    ],
    ['{uuid.UUID(int=1): 2}', { '00000000-0000-0000-0000-000000000001': 2 }],
  ];
  for (const [expression, value] of values) {
    it(`${expression}, by every protocol`, async () => {
      for (const protocol of PROTOCOLS) {
        assert.deepEqual(readPickle(await python.pickle(expression, protocol)), value, `protocol ${protocol}`);
      }
    });
  }

  describe('of datetime are text as isoformat() writes it', () => {
    for (const expression of [
      'datetime.datetime(2024, 2, 29, 13, 5, 9)',
      'datetime.datetime(2024, 2, 29, 13, 5, 9, 1)',
      'datetime.datetime(1, 1, 1, fold=1)',
      'datetime.datetime.max',
      'datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone.utc)',
      'datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone(datetime.timedelta(hours=-3, minutes=-30), "X"))',
      'datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone(datetime.timedelta(seconds=3661, microseconds=7)))',
      'datetime.date(2024, 2, 29)',
      'datetime.date.min',
      'datetime.time(1, 2)',
      'datetime.time(1, 2, 3, 40, fold=1)',
      'datetime.time(1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=5, minutes=45)))',
    ]) {
      it(expression, async () => {
        const isoformat = await python.evaluate(`(${expression}).isoformat()`);
        for (const protocol of PROTOCOLS) {
          assert.equal(readPickle(await python.pickle(expression, protocol)), isoformat, `protocol ${protocol}`);
        }
      });
    }

    it('with the name of the zone, if it has one', async () => {
      const paris = 'datetime.datetime(2024, 7, 1, 12, tzinfo=zoneinfo.ZoneInfo("Europe/Paris"))';
      for (const protocol of PROTOCOLS) {
        assert.equal(readPickle(await python.pickle(paris, protocol)), '2024-07-01T12:00:00[Europe/Paris]');
      }
    });
  });

  it('that are exceptions have their type, arguments and message', async () => {
    const [plain, file, key, none] = readPickle(
      await python.pickle('[ValueError("boom"), FileNotFoundError(2, "No such file"), KeyError(1), SystemExit()]'),
    ) as object[];
    assert.deepEqual({ ...plain }, { $python: 'builtins.ValueError', args: ['boom'], message: 'boom' });
    assert.deepEqual(
      { ...file },
      { $python: 'builtins.FileNotFoundError', args: [2, 'No such file'], message: 'No such file' },
    );
    assert.deepEqual({ ...key }, { $python: 'builtins.KeyError', args: [1], message: '1' });
    assert.deepEqual({ ...none }, { $python: 'builtins.SystemExit', args: [], message: '' });
  });

  it('that are classes or functions are their names', async () => {
    for (const protocol of PROTOCOLS) {
      const names = readPickle(await python.pickle('[len, json.JSONDecoder, json.JSONDecoder.decode]', protocol));
      assert.deepEqual(
        (names as object[]).map((name) => ({ ...name })),
        [
          { $python: 'builtins.len' },
          { $python: 'json.decoder.JSONDecoder' },
          { $python: 'json.decoder.JSONDecoder.decode' },
        ],
      );
    }
  });

  it('that nobody knows are shown with their arguments, state and items', async () => {
    await python.evaluate(`exec("""
class Point:
    def __init__(self): self.x = 1; self.me = self
class Row(dict): pass
class Stack(list): pass
class Color(enum.Enum): RED = 7
Pair = collections.namedtuple("Pair", "a b")
class Slow:
    def __new__(cls, *args, **kwargs): return object.__new__(cls)
    def __getnewargs_ex__(self): return (1,), {"k": 2}
""", vars(sys.modules["__main__"]))`);
    const all = '[Point(), Row(a=1), Stack([1, 2]), Color.RED, Pair(1, 2), Slow()]';
    const shown = readPickle(await python.pickle(all)) as Record<string, unknown>[];
    const [, row, stack, color, pair, slow] = shown.map((object) => ({ ...object }));
    for (const protocol of PROTOCOLS) {
      const point = readPickle(await python.pickle('Point()', protocol)) as Record<string, unknown>;
      const { $python, args, state } = point as { $python: string; args: unknown; state: Record<string, unknown> };
      assert.deepEqual([$python, args, Object.keys(state), state.x], ['__main__.Point', [], ['x', 'me'], 1]);
      assert.equal(state.me, point);
    }
    assert.deepEqual(row, { $python: '__main__.Row', args: [], items: { a: 1 } });
    assert.deepEqual(stack, { $python: '__main__.Stack', args: [], items: [1, 2] });
    assert.deepEqual(color, { $python: '__main__.Color', args: [7] });
    assert.deepEqual(pair, { $python: '__main__.Pair', args: [1, 2] });
    assert.deepEqual(slow, { $python: '__main__.Slow', args: [1], kwargs: { k: 2 } });
  });

  it('that are a ShellResult of Globus Compute are its attributes', async () => {
    // A stand-in for the class of the SDK: a pickle holds no more of a class than its name.
    await python.evaluate(`exec("""
import types
name = "globus_compute_sdk.sdk.shell_function"
class ShellResult:
    def __init__(self, **attributes): self.__dict__.update(attributes)
ShellResult.__module__ = name
for i in range(1, 4):
    sys.modules[".".join(name.split(".")[:i])] = types.ModuleType(name)
sys.modules[name].ShellResult = ShellResult
""", vars(sys.modules["__main__"]))`);
    for (const protocol of PROTOCOLS) {
      const pickle = await python.pickle('[ShellResult(cmd="echo hi", stdout="hi\\n", returncode=0)] * 2', protocol);
      const [first, second] = readPickle(pickle) as unknown[];
      assert.deepEqual(first, { cmd: 'echo hi', stdout: 'hi\n', returncode: 0 });
      assert.equal(first, second);
    }
    const circle = '(lambda it: it.__dict__.update(me=it, all={it}, by={it: [it]}) or it)(ShellResult())';
    const result = readPickle(await python.pickle(circle)) as Record<string, unknown>;
    assert.equal(result.me, result);
    assert.deepEqual([...(result.all as Set<unknown>)], [result]);
    assert.deepEqual([...(result.by as Map<unknown, unknown[]>)], [[result, [result]]]);
  });

  describe('are never called', () => {
    for (const [name, pickle] of [
      ['os.system', 'cos\nsystem\n(Vtouch /tmp/called\ntR.'],
      ['builtins.eval', 'cbuiltins\neval\n(V1+1\ntR.'],
      ['process.exit of Node', 'cprocess\nexit\n(I1\ntR.'],
      ['what an object of JavaScript has', 'c__proto__\nconstructor\n(V1\ntR.'],
    ] as const) {
      it(name, () => {
        const object = readPickle(Buffer.from(pickle, 'latin1')) as { $python: string; args: unknown[] };
        assert.match(object.$python, /^(os\.system|builtins\.eval|process\.exit|__proto__\.constructor)$/);
        assert.equal(object.args.length, 1);
      });
    }

    it('when an attribute of another object is called', () => {
      const pickle = Buffer.from('cbuiltins\ngetattr\n(cos\nsystem\nV__call__\ntR(Vid\ntR.', 'latin1');
      assert.deepEqual({ ...(readPickle(pickle) as object) }, { $python: 'os.system.__call__', args: ['id'] });
    });

    it('when what was made is called', () => {
      const pickle = Buffer.from('(Vid\nlp0\n(g0\ntR.', 'latin1');
      assert.deepEqual({ ...(readPickle(pickle) as object) }, { $python: 'operator.call', args: [['id'], ['id']] });
    });
  });

  it('are shown if they are known, and are not what they should be', () => {
    for (const [name, call] of [
      ['datetime.datetime', '(V2024\nt'],
      ['datetime.date', '(t'],
      ['datetime.timedelta', '(V1\nt'],
      ['decimal.Decimal', '(I1\nt'],
      ['builtins.complex', '(V1\nt'],
      ['builtins.set', '(I1\nt'],
      ['collections.deque', '(I1\nt'],
      ['_codecs.encode', '(Va\nVrot13\nt'],
      ['pathlib.PosixPath', '(I1\nt'],
      ['zoneinfo.ZoneInfo', '(V../../etc/passwd\nt'],
      ['fractions.Fraction', '((VtoString\nI1\ndt'],
      ['builtins.ValueError', '((VtoString\nI1\ndt'],
      ['uuid.UUID', '(t'],
    ] as const) {
      const [, module, attribute] = /^(.*)\.(.*)$/.exec(name) ?? [];
      const object = readPickle(Buffer.from(`c${module}\n${attribute}\n${call}R.`)) as { $python: string };
      assert.equal(object.$python, name);
    }
  });
});
