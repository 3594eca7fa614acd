/** Lets things that become possible in any order happen in the order in which their places were taken. */
export class InOrder {
  readonly #places: { act?: () => void }[] = [];

  /** Takes the next place. What the returned function is given happens when all places before have had their turn. */
  place(): (act: () => void) => void {
    const place: { act?: () => void } = {};
    this.#places.push(place);
    return (act) => {
      place.act = act;
      this.#proceed();
    };
  }

  #proceed(): void {
    for (let first = this.#places[0]; first?.act !== undefined; first = this.#places[0]) {
      this.#places.shift();
      first.act();
    }
  }
}
