import type { WireMachine } from "@fed/fed/wire/machine.ts";
import { lookOfMachine } from "../view/state.ts";
import { chipsOf } from "./machine-trouble.ts";

/** Whether all words that are sought are somewhere in what its card says. Pure. */
export function meantBy(machine: WireMachine, sought: string): boolean {
  const { name, kind, state, address = "", tailscale = "", labels, facts, detail } = machine;
  const tags = Object.entries(labels).map(([label, text]) => `${label}:${text}`);
  const chips = chipsOf(machine).map(({ word }) => word);
  const parts = [name, kind, lookOfMachine(state).word, address, tailscale, facts?.os, facts?.hostname, detail];
  const text = [...parts, ...tags, ...chips].join(" ").toLowerCase();
  return sought
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** Whether something of it asks for somebody. Pure. */
export function inTrouble(machine: WireMachine): boolean {
  const tones = [lookOfMachine(machine.state).tone, ...chipsOf(machine).map(({ tone }) => tone)];
  return tones.includes("bad") || tones.includes("warn");
}
