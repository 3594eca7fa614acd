/** A value that may have to be waited for. Most are known at once, and then no promise is made a message. */
export type Eventually<T> = T | Promise<T>;

/** Goes on with a value: now when it is known, otherwise when it is there. */
export function chain<T, U>(value: Eventually<T>, next: (value: T) => Eventually<U>): Eventually<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Every item read, in order. All are waited for together, so that no failure is left without someone who sees it. */
export function readAll<T, U>(items: readonly T[], read: (item: T) => Eventually<U>): Eventually<U[]> {
  const found: U[] = [];
  for (const [index, item] of items.entries()) {
    const value = read(item);
    if (value instanceof Promise) return awaitAll(found, value, items.slice(index + 1), read);
    found.push(value);
  }
  return found;
}

async function awaitAll<T, U>(
  known: U[],
  awaited: Promise<U>,
  rest: readonly T[],
  read: (item: T) => Eventually<U>,
): Promise<U[]> {
  const others = rest.map(async (item) => read(item));
  return [...known, ...(await Promise.all([awaited, ...others]))];
}
