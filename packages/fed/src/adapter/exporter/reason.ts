const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "it broke off",
  EPIPE: "it broke off",
  EHOSTUNREACH: "no way to the host",
  ENETUNREACH: "no way to the network",
  ETIMEDOUT: "no answer",
  HPE_HEADER_OVERFLOW: "the head of its answer is too long",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is one that it made itself",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate comes from an authority that this machine does not know",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate comes from an authority that this machine does not know",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate comes from an authority that this machine does not know",
  CERT_HAS_EXPIRED: "its certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
  ERR_INVALID_CHAR: "what it is shown to let us in has letters that no header may have, such as a line's end",
};

/** Undocumented codes of Node's HTTP parser begin with HPE_, those of OpenSSL with ERR_SSL_. */
export function reasonOf(error: Error, host: string): string {
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return `host name not found: ${host}`;
  if (code.startsWith("ERR_SSL_")) return "it does not speak TLS as we do";
  return reasons[code] ?? (code.startsWith("HPE_") ? "its answer is not HTTP" : `it cannot be asked: ${code || "?"}`);
}

const longest = 200;

/** Words that others chose: on one line, without letters that steer a terminal, and not for ever. */
export function plainWords(text: string): string {
  const plain = text.replaceAll(/[\s\p{C}]+/gu, " ").trim();
  return plain.length > longest ? `${plain.slice(0, longest)}…` : plain;
}
