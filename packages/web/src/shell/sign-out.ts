import { api } from "@fed/fed/wire/api.ts";
import { useNavigate } from "@tanstack/react-router";
import { client, signedOut } from "../hub.ts";
import { stopLive } from "../live.ts";
import { readFault } from "../view/fault.ts";
import { toast } from "../view/toast-store.ts";

/** Ends the session here and at the hub. */
export function useSignOut(): () => Promise<void> {
  const navigate = useNavigate();
  return async () => {
    try {
      await client.call(api.logout, {});
    } catch (thrown) {
      const { code, message } = readFault(thrown);
      // Who is signed out already has what they wanted.
      if (code !== "unauthenticated") return void toast({ tone: "bad", title: "Could not sign out", detail: message });
    }
    stopLive();
    signedOut();
    await navigate({ to: "/sign-in" });
  };
}
