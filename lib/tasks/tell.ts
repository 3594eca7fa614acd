/** A listener that throws must not keep others from hearing of their tasks. Gives what it gave, if it did not throw. */
export function tell<Given extends readonly unknown[], T>(
  listener: (...given: Given) => T,
  ...given: Given
): T | undefined {
  try {
    return listener(...given);
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error));
    return undefined;
  }
}
