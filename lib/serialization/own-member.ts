/** Sets a member whose name came from outside: `__proto__` too is a member then, and not the prototype. */
export function setOwnMember(object: object, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
  } else {
    (object as Record<string, unknown>)[name] = value;
  }
}
