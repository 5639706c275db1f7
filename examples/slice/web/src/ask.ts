/** What the API answers, or why it did not, in words for people. */
export type Said<T> = { readonly kind: "said"; readonly said: T } | { readonly kind: "refused"; readonly why: string };

export async function ask<T>(method: "GET" | "POST" | "DELETE", path: string, body?: object): Promise<Said<T>> {
  const sent =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  try {
    const response = await fetch(`/api/${path}`, { method, ...sent });
    const said: unknown = await response.json();
    if (response.ok) return { kind: "said", said: said as T };
    const why = (said as { error?: string }).error ?? `It answered with status ${response.status}.`;
    return { kind: "refused", why };
  } catch {
    return { kind: "refused", why: "There is no connection. Try again." };
  }
}
