export { openBuiltinIngress } from "./ingress.ts";
