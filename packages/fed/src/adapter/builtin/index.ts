export { type BuiltinIngress, type BuiltinIngressOptions, openBuiltinIngress } from "./ingress.ts";
