import { isFault } from "#base/fault.ts";
import type { CallContext, Caller, HandlersOf } from "#wire/handler.ts";
import { accessOf } from "#wire/handler.ts";
import type { Link, Me } from "#wire/user.ts";
import type { MadeLink } from "./link.ts";
import type { From, OpenedBrowser } from "./session.ts";
import { type User, wireUser } from "./user.ts";
import type { Users } from "./verbs.ts";

type Names =
  | "login"
  | "refresh"
  | "openSession"
  | "me"
  | "logout"
  | "changePassword"
  | "lookAtLink"
  | "enrol"
  | "users"
  | "addUser"
  | "disableUser"
  | "enableUser"
  | "setRole"
  | "resetUser"
  | "rescue"
  | "tokens"
  | "createToken"
  | "revokeToken";

export function userHandlers(needs: { readonly users: Users }): HandlersOf<Names> {
  const { users } = needs;
  const linkOf = ({ code, expiresMs }: MadeLink): Link => ({ path: `/welcome#code=${code}`, expiresMs });
  const done = { done: true } as const;
  const spend = (caller: Caller) =>
    users.budget.spend(caller.kind === "user" ? caller.userId : caller.kind, accessOf(caller));
  /** Does it; when what was shown for it is not good, the log tells so. */
  const telling = async <T>(
    endpoint: string,
    what: string,
    context: CallContext,
    work: () => Promise<T>,
  ): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      const { caller, address, correlation } = context;
      const reason = `${what} shown is not known, or no longer good`;
      if (isFault(thrown) && (thrown.code === "missing" || thrown.code === "unauthenticated"))
        users.recordRefusal({ endpoint, reason, caller, address, correlation });
      throw thrown;
    }
  };
  return {
    async login({ name, password }, context) {
      const from = fromOf(context);
      const user = await users.authenticate(name, password, from);
      users.budget.spend(user.id, user.role);
      return users.grants.openClient(user, from);
    },
    refresh: ({ refreshToken }, context) =>
      telling("refresh", "the refresh token", context, () => users.grants.refresh(refreshToken, fromOf(context))),
    async openSession({ name, password }, context) {
      const from = fromOf(context);
      const user = await users.authenticate(name, password, from);
      users.budget.spend(user.id, user.role);
      return signIn(context, user, users.sessions.openBrowser(user, from));
    },
    me(_input, { caller }) {
      if (caller.kind === "user") {
        const { name, role, session } = caller;
        const csrf = session.kind === "browser" ? { csrf: users.sessions.csrfOf(session.id) } : {};
        return { kind: "user", name, role, ...csrf };
      }
      if (caller.kind === "token") return { kind: "token", name: caller.name, role: caller.role };
      return { kind: "local", name: accessOf(caller), role: "admin" };
    },
    logout(_input, { caller, cookie, actor, correlation }) {
      // First of all: whatever happens then, this browser shows it no more.
      cookie.clear();
      if (caller.kind === "user") users.sessions.end(caller.session.id, "signed out", { actor, correlation });
      return done;
    },
    async changePassword({ current, next }, context) {
      spend(context.caller);
      return { sessionsEnded: await users.changePassword(context.caller, current, next, fromOf(context)) };
    },
    async lookAtLink({ code }, context) {
      const look = async () => users.links.look(code);
      const { purpose, name, expiresMs } = await telling("lookAtLink", "the link", context, look);
      return { purpose, expiresMs, ...(name === undefined ? {} : { name }) };
    },
    async enrol({ code, name, password }, context) {
      const use = () => users.links.enrol(code, name, password, fromOf(context));
      const { user, opened } = await telling("enrol", "the link", context, use);
      return signIn(context, user, opened);
    },
    users: () => ({ users: users.list().map(wireUser) }),
    async addUser({ name, role, password }, context) {
      const { user, link } = await users.add(name, role, password, context);
      return { user: wireUser(user), ...(link ? { link: linkOf(link) } : {}) };
    },
    disableUser: ({ name }, context) => ({ user: wireUser(users.disable(name, context)) }),
    enableUser: ({ name }, context) => ({ user: wireUser(users.enable(name, context)) }),
    setRole: ({ name, role }, context) => ({ user: wireUser(users.setRole(name, role, context)) }),
    resetUser({ name }, context) {
      const { user, link } = users.reset(name, context);
      return { user: wireUser(user), link: linkOf(link) };
    },
    rescue: ({ name }, context) => ({ link: linkOf(users.rescue(name, context)) }),
    tokens: (_input, { caller }) => ({ tokens: [...users.tokens.list(caller)] }),
    createToken(wish, context) {
      spend(context.caller);
      return users.tokens.create(context.caller, wish, context);
    },
    revokeToken: ({ id }, context) => ({ token: users.tokens.revoke(context.caller, id, context) }),
  };
}

function fromOf({ address, agent, correlation }: CallContext): From {
  return { address, agent, correlation };
}

function signIn(context: CallContext, user: User, opened: OpenedBrowser): Me {
  context.cookie.set(opened.secret, opened.maxAgeSeconds);
  return { kind: "user", name: user.name, role: user.role, csrf: opened.csrf };
}
