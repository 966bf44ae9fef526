/**
 * Members of an object that are found when somebody asks for them.
 *
 * @module
 */

const OF = Symbol("of");

/**
 * Makes a function that gives objects such members, found by what each object is made of.
 *
 * A getter written into an object literal would be new for each object, and V8 keeps the shape that it makes of each, with
 * all that the getter refers to, until a full garbage collection: every request would outlive the collections of the young.
 * These getters are the same for all objects.
 */
export function lazyMembers<Of, Members extends object>(find: {
  readonly [Name in keyof Members]: (of: Of) => Members[Name];
}): <Target extends object>(target: Target, of: Of) => Target & Members {
  const getters = Object.fromEntries(
    Object.entries<(of: Of) => unknown>(find).map(([name, get]) => [
      name,
      {
        enumerable: true,
        get(this: { readonly [OF]: Of }): unknown {
          return get(this[OF]);
        },
      },
    ]),
  );
  return function withMembers(target, of) {
    Object.defineProperty(target, OF, { value: of });
    return Object.defineProperties(target, getters) as never;
  };
}
