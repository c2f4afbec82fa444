/** The nonce with which the server lets this page's own style elements through (`docs/SECURITY.md`). */
export function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.nonce ?? "";
}

/** Tells it to the part of the component library that holds the page still below a dialog; it asks for it by this name. */
export function tellStyleNonce() {
  (window as { __webpack_nonce__?: string }).__webpack_nonce__ = styleNonce();
}
