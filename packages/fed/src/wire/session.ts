/**
 * The cookie of a page's session. It is the hub's alone: the ingress keeps it from the services behind it.
 *
 * Without the prefix `__Host-`, because that asks for https, and a hub on loopback or in a home network has none. One
 * name for both: behind a proxy with https the cookie is `Secure` all the same.
 */
export const sessionCookieName = "fed_session";
