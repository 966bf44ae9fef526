/**
 * What an authenticator says of a sender: what it may do, and who it is.
 *
 * @module
 */

const NO_SCOPES: readonly string[] = Object.freeze([]);

/** What an authenticated sender may do. */
export class AuthCredentials {
  /** The scopes granted, in the order given. */
  readonly scopes: readonly string[];

  /** @throws TypeError if the scopes are not a list of strings. */
  constructor(scopes: readonly string[] = NO_SCOPES) {
    if (!Array.isArray(scopes) || !scopes.every((scope) => typeof scope === "string")) {
      throw new TypeError("AuthCredentials: scopes must be a list of strings.");
    }
    this.scopes = scopes === NO_SCOPES ? scopes : Object.freeze([...(scopes as readonly string[])]);
  }
}

/** Who sent a request. Extend it for users of your own; `isAuthenticated` alone decides whether it is let in. */
export abstract class BaseUser {
  /** `false` refuses the request: 403. */
  abstract get isAuthenticated(): boolean;
  /** The name that messages and logs carry. */
  abstract get displayName(): string;
  /** What tells this user from all others. */
  get identity(): string {
    return this.displayName;
  }
}

/** A sender known by its name. */
export class SimpleUser extends BaseUser {
  readonly username: string;

  /** @throws TypeError for anything but text that is not empty. */
  constructor(username: string) {
    super();
    if (typeof username !== "string" || username === "") {
      throw new TypeError("SimpleUser: the name must be text, and not empty.");
    }
    this.username = username;
  }

  override get isAuthenticated(): boolean {
    return true;
  }

  override get displayName(): string {
    return this.username;
  }
}

/** A sender nobody has asked who it is: what `request.user` holds where anonymous senders are accepted. */
export class UnauthenticatedUser extends BaseUser {
  override get isAuthenticated(): boolean {
    return false;
  }

  override get displayName(): string {
    return "";
  }
}
