import { server, workstation } from "@fed/lab";

/** The family: the hub at home, two servers in the cellar, and a laptop that comes and goes. */
export const machines = {
  hub: server({ address: "local" }),
  cellar1: server({ address: "192.168.1.11", user: "fed", labels: { disk: "nvme" } }),
  cellar2: server({ address: "192.168.1.12", user: "fed", labels: { disk: "nvme", gpu: "rtx3090" } }),
  laptop: workstation({ tailscale: "annes-laptop", user: "anne" }),
};
