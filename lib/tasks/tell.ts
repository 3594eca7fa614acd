/** A listener that throws must not keep others from hearing of their tasks. */
export function tell(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error));
  }
}
