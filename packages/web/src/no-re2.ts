/**
 * Stands in a page for `re2js`, whose 47 KB (gzip) the parser of PromQL needs only to refuse a bad regular expression while
 * it is being typed: the hub says so a moment later, when the query is run.
 */
export const RE2JS = {
  DOTALL: 0,
  compile: () => ({
    matches: () => false,
    matcher: () => ({ matches: () => false, groupCount: () => 0, group: () => undefined }),
    namedGroups: () => ({}),
  }),
};

export class RE2JSException extends Error {}
