/**
 * The users of the Basic scheme: who they are, by which hashes their passwords are known, and who stands in for nobody.
 *
 * @module
 */
import type { Pair } from "../request/delivery";
import { shown, text } from "../request/options";
import type { WebhookRequest } from "./authenticator";
import { AuthCredentials, SimpleUser } from "./credentials";
import { fingerprint } from "./fingerprint";
import { passwordVerifier, unknownHash, type PasswordVerifier, type VerifyPassword } from "./password";
import { orUnavailable } from "./unavailable";

/** What is known of a user. */
export type BasicAccount = {
  /** The hash of the password: `hashPassword()` makes one. Two, while one password replaces another. */
  readonly hash: string | readonly string[];
  /** Scopes granted to the user, besides those that the authenticator grants to all. */
  readonly scopes?: readonly string[] | undefined;
};

/** A user by name. */
export type BasicUser = BasicAccount & { readonly name: string };

type FindAccount = (
  name: string,
  request: WebhookRequest,
) => BasicAccount | null | undefined | Promise<BasicAccount | null | undefined>;

type UserTable = Readonly<Record<string, string | readonly string[]>> | readonly BasicUser[];

/** Hashes by user names, users in a list, or a function that finds a user's account. */
export type BasicUsers = UserTable | FindAccount;

/** An account, ready to be compared with. */
export type Account = {
  readonly hashes: readonly string[];
  readonly verifiers: readonly PasswordVerifier[];
  readonly pair: Pair;
};

export type Directory = {
  readonly find: (name: string, request: WebhookRequest) => Account | undefined | Promise<Account | undefined>;
  /** An account to hold the password of an unknown user against, for the time it takes. */
  readonly standIn: (name: string) => Account;
};

type AccountOf = (name: string, account: BasicAccount) => Account;

// eslint-disable-next-line no-control-regex -- RFC 7617 section 2 forbids them in names and passwords
export const CONTROL = /[\u0000-\u001f\u007f]/;

/** Makes a directory of users. @throws TypeError at start, for a user who could never be let in. */
export function directoryOf(
  users: BasicUsers,
  { scopes, verify }: { readonly scopes: readonly string[]; readonly verify: VerifyPassword | undefined },
): Directory {
  const accountOf: AccountOf = (name, { hash, scopes: own = [] }) => {
    const hashes = hashList(hash);
    const verifiers = hashes.map((one) => passwordVerifier(one, verify));
    const credentials = new AuthCredentials([...new Set([...scopes, ...own])]);
    return { hashes, verifiers, pair: [credentials, new SimpleUser(name)] };
  };
  return typeof users === "function" ? lookUp(users, accountOf) : listed(userList(users), accountOf);
}

function listed(users: readonly BasicUser[], accountOf: AccountOf): Directory {
  const accounts = new Map<string, Account>();
  for (const user of users) {
    const name = checkName(user.name);
    if (accounts.has(name)) throw new TypeError(`users: ${shown(name)} is there twice; give it a list of hashes.`);
    accounts.set(
      name,
      naming(name, () => accountOf(name, user)),
    );
  }
  const all = [...accounts.values()];
  if (all.length === 0) throw new TypeError("users: there is none, so nobody could be authenticated.");
  return {
    find: (name) => accounts.get(name),
    // Always the same one for a name, as it is for those who are known: some hashes cost more than others.
    standIn: (name) => all[fingerprint(name).readUInt32BE() % all.length] as Account,
  };
}

function lookUp(find: FindAccount, accountOf: AccountOf): Directory {
  let last = accountOf("nobody", { hash: unknownHash() });
  return {
    find: (name, request) =>
      orUnavailable("The function in users has failed.", async () => {
        const found = await find(name, request);
        return found ? (last = accountOf(name, found)) : undefined;
      }),
    standIn: () => last,
  };
}

function userList(users: UserTable): readonly BasicUser[] {
  if (Array.isArray(users)) return users as readonly BasicUser[];
  if (typeof users === "object" && users !== null) {
    const entries = Object.entries(users as Readonly<Record<string, string | readonly string[]>>);
    return entries.map(([name, hash]) => ({ name, hash }));
  }
  throw new TypeError(`users: ${shown(users)} is neither an object of hashes by names, nor a list, nor a function.`);
}

function checkName(name: string): string {
  // RFC 7617 section 2: a colon ends the name.
  if (text("users", name).includes(":") || CONTROL.test(name)) {
    throw new TypeError(
      `users: ${shown(name)} holds a colon or a control character, so nobody could send it as a name.`,
    );
  }
  return name.normalize("NFC");
}

function hashList(hash: string | readonly string[]): readonly string[] {
  const hashes = typeof hash === "string" ? [hash] : hash;
  if (Array.isArray(hashes) && hashes.length > 0) return [...(hashes as readonly string[])];
  throw new TypeError("hash: it is missing; is its environment variable set?");
}

/** Says whose account is wrong. */
function naming(name: string, make: () => Account): Account {
  try {
    return make();
  } catch (error) {
    if (error instanceof TypeError) error.message = `users: ${shown(name)}: ${error.message}`;
    throw error;
  }
}
