/**
 * Members of an object that are found when somebody asks for them.
 *
 * @module
 */

/** Hands its argument on as the object that a class below it makes: private fields then go on that. */
const Given = function given(target: object): object {
  return target;
} as unknown as new (target: object) => object;

/**
 * Makes a function that gives objects such members, found by what each object is made of.
 *
 * A getter written into an object literal would be new for each object, and V8 keeps the shape that it makes of each, with
 * all that the getter refers to, until a full garbage collection: every request would outlive the collections of the young.
 * These getters are the same for all objects, and a private field costs less than half of a property that does not show.
 */
export function lazyMembers<Of, Members extends object>(find: {
  readonly [Name in keyof Members]: (of: Of) => Members[Name];
}): <Target extends object>(target: Target, of: Of) => Target & Members {
  class Lazy extends Given {
    readonly #of: Of;

    constructor(target: object, of: Of) {
      super(target);
      this.#of = of;
    }

    static of(target: object): Of {
      if (#of in target) return target.#of;
      throw new TypeError("A member that is found when it is asked for cannot be read through a proxy.");
    }
  }
  const names = Object.keys(find);
  const getters = Object.values<(of: Of) => unknown>(find).map((get) => ({
    enumerable: true,
    get(this: object): unknown {
      return get(Lazy.of(this));
    },
  }));
  return function withMembers(target, of) {
    const lazy = new Lazy(target, of);
    // One by one: `Object.defineProperties` reads all descriptors anew, and takes twice as long.
    for (let at = 0; at < names.length; at++) Object.defineProperty(lazy, names[at] as string, getters[at] as object);
    return lazy as never;
  };
}
