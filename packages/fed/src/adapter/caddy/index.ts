export { openCaddyIngress } from "./ingress.ts";
