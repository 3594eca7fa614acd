/** Asks after a pause in which nothing new was asked, and tells only the answer to the last question. */
export class Latest<Question, Answer> {
  #timer: number | undefined;
  #turn = 0;

  /**
   * @param ask gives the answer
   * @param tell is told it, or what went wrong
   * @param pause in milliseconds
   */
  constructor(
    readonly ask: (question: Question) => Promise<Answer>,
    readonly tell: (answer: Answer | Error, question: Question) => void,
    readonly pause: number,
  ) {}

  /** @param pause in milliseconds; 0 asks at once */
  request(question: Question, pause = this.pause): void {
    this.stop();
    if (pause === 0) this.#ask(question);
    else this.#timer = window.setTimeout(() => this.#ask(question), pause);
  }

  /** Nothing more is told. */
  stop(): void {
    this.#turn++;
    window.clearTimeout(this.#timer);
  }

  #ask(question: Question): void {
    const turn = this.#turn;
    const tell = (answer: Answer | Error) => {
      if (turn === this.#turn) this.tell(answer, question);
    };
    this.ask(question).then(tell, (error: unknown) => tell(error instanceof Error ? error : new Error(String(error))));
  }
}
