import assert from 'node:assert/strict';
import {
  FuncXError,
  InputError,
  isUuid,
  RemoteException,
  ServiceError,
  type TaskId,
  TaskPending,
} from '../../../dist/lib/index.js';

const TASK = '10c9678c-b404-4e40-bfd4-81581f52f9db' as TaskId;

describe('an error of the library', () => {
  it('carries its code and the name of its class', () => {
    for (const error of [new InputError('x'), new ServiceError('E', 404, 'x'), new TaskPending(TASK, 'running')]) {
      assert.ok(error instanceof FuncXError);
      assert.equal(error.name, error.constructor.name);
    }
    assert.equal(new InputError('x').code, 'BAD_INPUT');
    assert.equal(new ServiceError('FUNCTION_NOT_FOUND', 404, 'x', ['id']).code, 'FUNCTION_NOT_FOUND');
  });

  it('names the task that is pending, and its state', () => {
    const error = new TaskPending(TASK, 'waiting-for-ep');
    assert.equal(error.code, 'TASK_PENDING');
    assert.deepEqual([error.taskId, error.status], [TASK, 'waiting-for-ep']);
    assert.match(error.message, /10c9678c.*waiting-for-ep/);
  });
});

describe('a remote exception', () => {
  const FRAMES = 'Traceback (most recent call last):\n  File "<string>", line 5, in bad\n    raise it\n    ^^^^^^^^\n';

  /** Texts as Python 3.11 prints them. */
  for (const [what, traceback, type, message] of [
    ['with a message', `${FRAMES}ValueError: boom ✓\n`, 'ValueError', 'boom ✓'],
    ['without a message', `${FRAMES}KeyboardInterrupt\n`, 'KeyboardInterrupt', ''],
    ['of a module', `${FRAMES}json.decoder.JSONDecodeError: bad: 1\n`, 'json.decoder.JSONDecodeError', 'bad: 1'],
    ['with a message of several lines', `${FRAMES}ValueError: a\n  b\nc: d\n`, 'ValueError', 'a\n  b\nc: d'],
    ['with a carriage return', `${FRAMES}ValueError: a\rb\n`, 'ValueError', 'a\rb'],
    ['with notes', `${FRAMES}ValueError: a\nnote: more\n`, 'ValueError', 'a\nnote: more'],
    [
      'without frames',
      '  File "<string>", line 1\n    def f(:\n          ^\nSyntaxError: invalid syntax\n',
      'SyntaxError',
      'invalid syntax',
    ],
    ['named with other letters', `${FRAMES}Störung: ä\n`, 'Störung', 'ä'],
    [
      'with a cause',
      `${FRAMES}KeyError: 'k'\n\nThe above exception was the direct cause of the following exception:\n\n${FRAMES}RuntimeError: no k\n`,
      'RuntimeError',
      'no k',
    ],
    [
      'while another was handled',
      `${FRAMES}KeyError: 'k'\n\nDuring handling of the above exception, another exception occurred:\n\n${FRAMES}OSError\n`,
      'OSError',
      '',
    ],
    [
      'whose message is a traceback',
      `${FRAMES}RuntimeError: ${FRAMES}KeyError: 'k'\n`,
      'RuntimeError',
      `${FRAMES}KeyError: 'k'`,
    ],
    [
      'that is a group',
      '  + Exception Group Traceback (most recent call last):\n  |   File "<string>", line 2, in f\n  | ExceptionGroup: two (2 sub-exceptions)\n  +-+---------------- 1 ----------------\n    | ValueError: a\n    +------------------------------------\n',
      'ExceptionGroup',
      'two (2 sub-exceptions)\n  +-+---------------- 1 ----------------\n    | ValueError: a\n    +------------------------------------',
    ],
    ['that is no traceback', '+++ lost +++', 'Exception', '+++ lost +++'],
  ] as const) {
    it(`${what} has its type and message`, () => {
      const error = new RemoteException(traceback, TASK);
      assert.deepEqual([error.pythonType, error.pythonMessage], [type, message]);
      assert.equal(error.message, message === '' ? type : `${type}: ${message}`);
      assert.equal(error.traceback, traceback);
      assert.equal(error.taskId, TASK);
    });
  }
});

describe('a UUID', () => {
  it('is its text in either case, and nothing else', () => {
    assert.ok(isUuid(TASK) && isUuid(TASK.toUpperCase()));
    for (const other of [
      '',
      `${TASK} `,
      TASK.slice(1),
      `{${TASK}}`,
      TASK.replaceAll('-', ''),
      `${TASK}\n`,
      7,
      null,
      [TASK],
    ]) {
      assert.ok(!isUuid(other), String(other));
    }
  });
});
