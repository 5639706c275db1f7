export { makeAgentKit } from "./kit.ts";
