import type { CallContext, HandlersOf } from "#wire/handler.ts";
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
  return {
    async login({ name, password }, context) {
      const from = fromOf(context);
      return users.grants.openClient(await users.authenticate(name, password, from), from);
    },
    refresh: ({ refreshToken }, context) => users.grants.refresh(refreshToken, fromOf(context)),
    async openSession({ name, password }, context) {
      const from = fromOf(context);
      const user = await users.authenticate(name, password, from);
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
      if (caller.kind === "user") users.sessions.end(caller.session.id, "signed out", { actor, correlation });
      cookie.clear();
      return done;
    },
    async changePassword({ current, next }, context) {
      return { sessionsEnded: await users.changePassword(context.caller, current, next, fromOf(context)) };
    },
    lookAtLink({ code }) {
      const { purpose, name, expiresMs } = users.links.look(code);
      return { purpose, expiresMs, ...(name === undefined ? {} : { name }) };
    },
    async enrol({ code, name, password }, context) {
      const { user, opened } = await users.links.enrol(code, name, password, fromOf(context));
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
    createToken: (wish, context) => users.tokens.create(context.caller, wish, context),
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
