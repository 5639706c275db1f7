import { Server } from "lucide-react";
import { Code, InlineCode } from "../view/code.tsx";
import { EmptyState } from "../view/empty-state.tsx";

const inLab = `machines: {
  here: server({ address: "local" }),
  node5: server({ address: "192.168.1.5", user: "fed" }),
  laptop: workstation({ address: "192.168.1.20" }),
},`;

/** How the first machine comes into the fleet. */
export function NoMachines() {
  return (
    <EmptyState icon={Server} title="The fleet has no machines yet">
      <p>Write them into the lab file and save it:</p>
      <Code text={inLab} label="machines for the lab file" />
      <p>Or take one in from the command line; nothing is installed on it, the hub logs in by SSH:</p>
      <Code text="fed machine add ada@192.168.1.5 --name node5" label="the command that adds a machine" />
      <p>
        One that the hub cannot reach reports by itself: <InlineCode>fed machine join NAME</InlineCode> says what to
        type on it.
      </p>
    </EmptyState>
  );
}
