/** The embedded hub of this process: one a file, shared by the clients, opened by the first and closed with the last. */
import { Hub } from '../../lib/hub/hub.js';

/** Told of what a person should know of: the hub cannot write, or its file was damaged. */
export type Warn = (message: string) => void;

export class SharedHub {
  static readonly #byFile = new Map<string, SharedHub>();

  static of(file: string): SharedHub {
    let hub = SharedHub.#byFile.get(file);
    if (hub === undefined) {
      hub = new SharedHub(file);
      SharedHub.#byFile.set(file, hub);
    }
    return hub;
  }

  #users = 0;
  #hub: Promise<Hub> | undefined;
  /** A hub that is opened again waits until its file is free. */
  #closed: Promise<void> = Promise.resolve();

  private constructor(readonly file: string) {}

  /**
   * The hub, open. Whoever asked gives it back with {@link release}, also when it could not be opened.
   *
   * @throws FuncXError `STORE_LOCKED` or `STORE_FAILED`
   */
  acquire(warn: Warn): Promise<Hub> {
    this.#users++;
    this.#hub ??= this.#closed.then(() => this.#open(warn));
    return this.#hub;
  }

  async release(): Promise<void> {
    this.#users--;
    if (this.#users > 0 || this.#hub === undefined) return;
    const hub = this.#hub;
    this.#hub = undefined;
    this.#closed = hub.then(
      (open) => open.close(),
      () => {},
    );
    await this.#closed;
  }

  async #open(warn: Warn): Promise<Hub> {
    const hub = await Hub.open({
      file: this.file,
      onDamaged: ({ movedTo }) =>
        warn(`${this.file} was damaged. An empty one takes its place; it is kept as ${movedTo}.`),
    });
    hub.on('failing', (error) => warn(`Tasks and results cannot be stored at the moment: ${error.message}`));
    hub.on('recovered', () => warn('Tasks and results can be stored again.'));
    return hub;
  }
}
