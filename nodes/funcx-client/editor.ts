import { inFlight } from '../shared/editor/flow-rules';
import { labelStyle } from '../shared/editor/labels';
import { Latest } from '../shared/editor/latest';
import { prepareOptions } from '../shared/editor/options-section';
import { askPython, type PythonAnswer } from '../shared/editor/server';
import { amount, count, names } from '../shared/editor/validators';

interface Properties {
  name: string;
  service: 'hub';
  python: string;
  workers: string;
  cwd: string;
  envAllow: string;
  timeLimit: string;
  memoryLimit: string;
  restartAfter: string;
  idleShutdown: string;
  integers: 'bigint' | 'text';
  inFlight: string;
  queueLimit: string;
  whenFull: 'error' | 'block' | 'drop-oldest' | 'drop-newest';
  order: 'completed' | 'sent';
  port: string;
}

interface Credentials {
  amqp: string;
  management: string;
}

/** Time in which nothing is typed, before Python is looked for. Unit: milliseconds. */
const PAUSE = 400;

let finding: PythonField | undefined;

RED.nodes.registerType<Properties, Credentials>('funcx-client', {
  category: 'config',
  defaults: {
    name: { value: '' },
    service: { value: 'hub' },
    python: { value: '' },
    workers: {
      value: '',
      label: RED._('@funcx/node-red-funcx/funcx-client:funcx-client.label.workers'),
      validate: count(1, { blank: true }),
    },
    cwd: { value: '' },
    envAllow: {
      value: '',
      label: RED._('@funcx/node-red-funcx/funcx-client:funcx-client.label.env-allow'),
      validate: names(RED._('@funcx/node-red-funcx/funcx-client:funcx-client.invalid.env-allow')),
    },
    timeLimit: {
      value: '',
      label: RED._('@funcx/node-red-funcx/funcx-client:funcx-client.label.time-limit'),
      validate: amount(),
    },
    memoryLimit: {
      value: '',
      label: RED._('@funcx/node-red-funcx/funcx-client:funcx-client.label.memory-limit'),
      validate: amount(),
    },
    restartAfter: {
      value: '',
      label: RED._('@funcx/node-red-funcx/funcx-client:funcx-client.label.restart-after'),
      validate: count(1, { blank: true }),
    },
    idleShutdown: {
      value: '300',
      label: RED._('@funcx/node-red-funcx/funcx-client:funcx-client.label.idle-shutdown'),
      validate: amount({ zero: true }),
    },
    integers: { value: 'bigint' },
    inFlight: {
      value: '',
      label: RED._('@funcx/node-red-funcx/funcx-client:funcx-client.label.in-flight'),
      validate: inFlight,
    },
    queueLimit: {
      value: '100000',
      label: RED._('@funcx/node-red-funcx/funcx-client:funcx-client.label.queue-limit'),
      validate: count(1, { blank: true }),
    },
    whenFull: { value: 'error' },
    order: { value: 'completed' },
    port: {
      value: '',
      label: RED._('@funcx/node-red-funcx/funcx-client:funcx-client.label.port'),
      validate: count(1, { blank: true }),
    },
  },
  credentials: {
    amqp: { type: 'password' },
    management: { type: 'password' },
  },
  paletteLabel() {
    return this._('funcx-client.palette');
  },
  label() {
    return this.name || this._('shared.this-machine');
  },
  labelStyle,
  oneditprepare() {
    finding = new PythonField();
    prepareOptions('node-config-input', {
      cwd: '',
      envAllow: '',
      timeLimit: '',
      memoryLimit: '',
      restartAfter: '',
      idleShutdown: '300',
      port: '',
      inFlight: '',
      queueLimit: '100000',
      whenFull: 'error',
      order: 'completed',
      integers: 'bigint',
    });
  },
  oneditsave: close,
  oneditcancel: close,
});

function close(): void {
  finding?.close();
  finding = undefined;
}

/** The field for Python, which shows what is found under its path. */
class PythonField {
  readonly #field = $('#node-config-input-python');
  readonly #area = $('.funcx-python');
  readonly #latest = new Latest(askPython, (answer) => this.#show(answer), PAUSE);
  #path = this.#typed();

  constructor() {
    this.#field.on('change keyup paste', () => {
      if (this.#typed() !== this.#path) this.#look();
    });
    this.#look(0);
  }

  close(): void {
    this.#latest.stop();
  }

  #typed(): string {
    return String(this.#field.val() ?? '').trim();
  }

  #look(pause?: number): void {
    this.#path = this.#typed();
    const text = RED._('@funcx/node-red-funcx/funcx-client:funcx-client.python.checking');
    this.#say('checking', 'fa-circle-o-notch', text);
    this.#latest.request(this.#path, pause);
  }

  #show(answer: PythonAnswer | Error): void {
    if (answer instanceof Error) {
      this.#say('unknown', 'fa-question-circle-o', answer.message);
    } else if (!answer.found) {
      this.#say('missing', 'fa-warning', answer.message);
    } else {
      const { version, executable, dill } = answer;
      const text = RED._('@funcx/node-red-funcx/funcx-client:funcx-client.python.found', { version, executable });
      this.#say('found', 'fa-check', text);
      this.#area.append($('<div>').text(dillText(dill)));
    }
  }

  #say(state: 'checking' | 'found' | 'missing' | 'unknown', icon: string, text: string): void {
    const parts = [$(`<i class="fa ${icon}">`), $('<span>').text(text)];
    this.#area.attr('data-state', state).empty().append(parts);
  }
}

function dillText(version: string | null): string {
  return version === null
    ? RED._('@funcx/node-red-funcx/funcx-client:funcx-client.python.without-dill')
    : RED._('@funcx/node-red-funcx/funcx-client:funcx-client.python.dill', { version });
}
