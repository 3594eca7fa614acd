/** Fields that may be left out may come as null, which means the same. */

export type Nullable<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [Name in keyof T]: undefined extends T[Name] ? Nullable<T[Name]> | null : Nullable<T[Name]> }
    : T;

/** Without those fields; what is inside lists and {@link kept} fields stays as it is. */
export function withoutNulls(body: object, kept: readonly string[] = []): object {
  const entries = Object.entries(body).filter(([, value]) => value !== null);
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const inside = typeof value === 'object' && !Array.isArray(value) && !kept.includes(name);
      return [name, inside ? withoutNulls(value as object, kept) : value];
    }),
  );
}
