import { useLocation, useNavigate } from "@tanstack/react-router";
import { useMe } from "../hub.ts";
import { PageHeader } from "../view/page-header.tsx";
import { type Tab, Tabs } from "../view/tabs.tsx";
import { AboutSettings } from "./settings-about.tsx";
import { AppearanceSettings } from "./settings-appearance.tsx";
import { PasswordSettings } from "./settings-password.tsx";
import { SecretSettings } from "./settings-secrets.tsx";
import { TokenSettings } from "./settings-tokens.tsx";
import { UserSettings } from "./settings-users.tsx";

/** The part that is shown stands in the address after `#`. */
export function SettingsPage() {
  const me = useMe();
  const { hash } = useLocation();
  const navigate = useNavigate();
  const tabs: readonly Tab[] = [
    { id: "appearance", label: "Appearance", content: <AppearanceSettings /> },
    ...(me?.kind === "user" ? [{ id: "password", label: "Password", content: <PasswordSettings /> }] : []),
    { id: "tokens", label: "Tokens", content: <TokenSettings /> },
    { id: "secrets", label: "Secrets", content: <SecretSettings /> },
    ...(me?.role === "admin" ? [{ id: "users", label: "Users", content: <UserSettings /> }] : []),
    { id: "about", label: "About", content: <AboutSettings /> },
  ];
  const shown = tabs.find(({ id }) => id === hash) ?? tabs[0];
  return (
    <>
      <PageHeader title="Settings" part={shown?.label} about={me && `You are ${me.name}, with the role ${me.role}.`} />
      <Tabs
        label="Settings"
        tabs={tabs}
        value={shown?.id ?? ""}
        onChange={(id) => void navigate({ to: "/settings", hash: id, replace: true, resetScroll: false })}
      />
    </>
  );
}
