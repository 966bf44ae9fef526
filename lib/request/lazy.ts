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
  const getters = Object.entries<(of: Of) => unknown>(find).map(([name, get]) => {
    const getter = {
      enumerable: true,
      get(this: { readonly [OF]: Of }): unknown {
        return get(this[OF]);
      },
    };
    return [name, getter] as const;
  });
  return function withMembers(target, of) {
    Object.defineProperty(target, OF, { value: of });
    // One by one: `Object.defineProperties` reads all descriptors anew, and takes twice as long.
    for (const [name, getter] of getters) Object.defineProperty(target, name, getter);
    return target as never;
  };
}
