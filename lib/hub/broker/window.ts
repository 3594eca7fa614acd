/** Bounds what is on its way to the broker, in messages and in characters; one larger than all goes alone. */
export class Window {
  readonly #mostMessages: number;
  readonly #mostChars: number;
  #messages = 0;
  #chars = 0;
  #left: () => void = () => {};

  constructor(mostMessages: number, mostChars: number) {
    this.#mostMessages = mostMessages;
    this.#mostChars = mostChars;
  }

  get isFull(): boolean {
    return this.#messages >= this.#mostMessages || this.#chars >= this.#mostChars;
  }

  /** Resolves when there is room. For one to wait at a time. */
  async room(): Promise<void> {
    while (this.isFull) await this.#oneLess();
  }

  /** Resolves when nothing is on its way. For one to wait at a time. */
  async empty(): Promise<void> {
    while (this.#messages > 0) await this.#oneLess();
  }

  enter(chars: number): void {
    this.#messages++;
    this.#chars += chars;
  }

  leave(chars: number): void {
    this.#messages--;
    this.#chars -= chars;
    this.#left();
  }

  #oneLess(): Promise<void> {
    return new Promise((resolve) => {
      this.#left = resolve;
    });
  }
}
