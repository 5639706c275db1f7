/**
 * Port `agent`: the texts that a machine's own `sh` runs when the machine reports by itself. They say nothing of who it is: that is in
 * the credential it gets when it joins.
 *
 * The agent keeps one upload open, `POST /agent/report`, whose body are ticks as the collector's program says them, and reads what the
 * hub answers meanwhile, a line at a time (`agentLine` of `wire/agent.ts`).
 */
export interface AgentKit {
  /** Of what runs on a machine, in hex: another text is another version. */
  readonly version: string;
  /** What `curl … | sh` is given: shows the token, keeps the credential that comes for it, and starts the agent. */
  join(invitation: Invitation): string;
  /** The same for a token that is of no use: says why, and fails. */
  refuse(reason: string, hint: string): string;
  /** What runs on the machine. `mark` as the collector's program takes it. */
  script(mark: string): string;
}

export interface Invitation {
  /** What the machine will be called. */
  readonly machine: string;
  /** Where it finds the hub. */
  readonly url: string;
  readonly token: string;
}
