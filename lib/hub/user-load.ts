/** How much each user has waiting in the hub, so that one cannot fill its memory. The operator's own is not counted. */
import { ServiceError } from '../compute/errors.js';
import type { PackedArguments } from '../compute/service.js';
import type { TaskBatch } from './batch.js';

export interface UserLimits {
  /** Tasks of one user that have not ended, at most. @default 200,000 */
  readonly tasks?: number;
  /** Characters of their arguments together, at most. @default 256 Mi */
  readonly characters?: number;
}

const TASKS = 200_000;
const CHARACTERS = 256 * 1024 * 1024;

interface Load {
  tasks: number;
  characters: number;
}

export class UserLoad {
  readonly #tasks: number;
  readonly #characters: number;
  readonly #loads = new Map<string, Load>();
  /** What each batch that waits was counted for: of its arguments only those are left whose tasks have not ended. */
  readonly #counted = new Map<TaskBatch, number>();

  constructor({ tasks = TASKS, characters = CHARACTERS }: UserLimits = {}) {
    this.#tasks = tasks;
    this.#characters = characters;
  }

  /** Throws TOO_MANY_TASKS where these tasks are too many beside those that wait. */
  assertRoom(user: string, args: readonly (readonly PackedArguments[])[]): void {
    const { tasks, characters } = this.#loads.get(user) ?? { tasks: 0, characters: 0 };
    const more = args.reduce((sum, list) => sum + list.length, 0);
    if (tasks + more <= this.#tasks && characters + charactersOf(args.flat()) <= this.#characters) return;
    throw new ServiceError(
      'TOO_MANY_TASKS',
      429,
      `You have ${tasks} tasks that have not ended, with arguments of ${characters} characters. Submit more when some have.`,
      [tasks, characters],
    );
  }

  /** Tasks of a batch wait from now on. */
  add(batch: TaskBatch): void {
    if (batch.terms?.submitter === undefined) return;
    const characters = charactersOf(batch.args);
    this.#counted.set(batch, characters);
    this.#change(batch.terms.submitter.id, batch.ids.length, characters);
  }

  /** All tasks of a batch have ended. */
  remove(batch: TaskBatch): void {
    const characters = this.#counted.get(batch);
    if (characters === undefined || batch.terms?.submitter === undefined) return;
    this.#counted.delete(batch);
    this.#change(batch.terms.submitter.id, -batch.ids.length, -characters);
  }

  #change(user: string, tasks: number, characters: number): void {
    const load = this.#loads.get(user) ?? { tasks: 0, characters: 0 };
    load.tasks += tasks;
    load.characters += characters;
    if (load.tasks > 0) this.#loads.set(user, load);
    else this.#loads.delete(user);
  }
}

function charactersOf(args: readonly PackedArguments[]): number {
  return args.reduce((sum, packed) => sum + (typeof packed === 'string' ? packed.length : packed.text.length), 0);
}
