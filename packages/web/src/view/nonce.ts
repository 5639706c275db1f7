/**
 * The page's policy lets only styles with its nonce in. Radix makes one while a dialog is open (it stops the page behind
 * from scrolling) and asks for the nonce under the name that bundlers gave it.
 */
declare global {
  var __webpack_nonce__: string | undefined;
}

/** Call once before the first page is shown. */
export function allowOwnStyles(): void {
  const bearer = document.querySelector<HTMLElement>("meta[property=csp-nonce], script[nonce], link[nonce]");
  if (bearer?.nonce) globalThis.__webpack_nonce__ = bearer.nonce;
}
