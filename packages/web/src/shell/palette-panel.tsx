import { api } from "@fed/fed/wire/api.ts";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import { Boxes, LogOut, type LucideIcon, RotateCw, Server } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { type ReactNode, useRef, useState } from "react";
import { setAppearance } from "../appearance.ts";
import { client, machinesQuery, statusQuery, useBarrier } from "../hub.ts";
import { StateDot } from "../view/badge.tsx";
import { ConfirmDialog } from "../view/dialog.tsx";
import { useFocusReturn } from "../view/focus.ts";
import { lookOfMachine, lookOfService } from "../view/state.ts";
import { toast } from "../view/toast-store.ts";
import { places } from "./places.ts";
import { useSignOut } from "./sign-out.ts";
import { themes } from "./theme.ts";

interface PalettePanelProps {
  readonly open: boolean;
  onOpenChange(open: boolean): void;
}

/** Everything there is to go to and to do, by typing a part of its name. */
export function PalettePanel({ open, onOpenChange }: PalettePanelProps) {
  const focus = useFocusReturn();
  /** Done once the palette has gone, so that a dialog it opens finds the focus where it was before. */
  const deed = useRef<() => unknown>(undefined);
  const [restarting, setRestarting] = useState<{ readonly environment: string; readonly service: string }>();
  const restart = async () => {
    if (!restarting) return;
    await client.call(api.restart, restarting);
    toast({ tone: "info", title: `Restarting ${restarting.environment}/${restarting.service}` });
  };
  return (
    <>
      <Radix.Root open={open} onOpenChange={onOpenChange}>
        <Radix.Portal>
          <Radix.Overlay className="fixed inset-0 z-40 bg-veil" />
          <Radix.Content
            onOpenAutoFocus={focus.onOpenAutoFocus}
            onCloseAutoFocus={(event) => {
              focus.onCloseAutoFocus(event);
              queueMicrotask(() => {
                void deed.current?.();
                deed.current = undefined;
              });
            }}
            aria-describedby={undefined}
            className="fixed inset-x-3 top-[10vh] z-50 mx-auto max-w-xl animate-appear overflow-hidden rounded-large border border-line bg-raised shadow-raised outline-none"
          >
            <Radix.Title className="sr-only">Go to, or do</Radix.Title>
            <Choices
              choose={(work) => {
                deed.current = work;
                onOpenChange(false);
              }}
              askRestart={setRestarting}
            />
          </Radix.Content>
        </Radix.Portal>
      </Radix.Root>
      <ConfirmDialog
        open={restarting !== undefined}
        onOpenChange={(next) => next || setRestarting(undefined)}
        title={`Restart ${restarting?.environment}/${restarting?.service}?`}
        action="Restart"
        onConfirm={restart}
      >
        New instances of the same version take the place of the old, which serve until the new are healthy.
      </ConfirmDialog>
    </>
  );
}

interface ChoicesProps {
  choose(work: () => unknown): void;
  askRestart(service: { environment: string; service: string }): void;
}

function Choices(props: ChoicesProps) {
  const { data: status } = useQuery(statusQuery);
  const { data: machines } = useQuery(machinesQuery);
  const mayRestart = useBarrier("operator") === undefined;
  const navigate = useNavigate();
  const signOut = useSignOut();
  const services = status?.services ?? [];
  const then = (work: () => unknown) => () => props.choose(work);
  return (
    <Command label="Go to, or do" loop>
      <Command.Input
        placeholder="A page, a service, a machine, a deed …"
        className="h-12 w-full border-line border-b bg-transparent px-4 text-large outline-none"
      />
      <Command.List className="max-h-[min(24rem,60dvh)] overflow-y-auto p-1">
        <Command.Empty className="px-3 py-6 text-center text-soft">Nothing is called so.</Command.Empty>
        <Group heading="Pages">
          {places.map(({ to, word, icon }) => (
            <Choice key={to} icon={icon} onSelect={then(() => navigate({ to }))}>
              {word}
            </Choice>
          ))}
        </Group>
        {services.length > 0 && (
          <Group heading="Services">
            {services.map(({ environment, service, state }) => (
              <Choice
                key={`${environment}/${service}`}
                icon={Boxes}
                onSelect={then(() =>
                  navigate({ to: "/services/$environment/$service", params: { environment, service } }),
                )}
                aside={<StateDot look={lookOfService(state)} />}
              >
                {environment}/{service}
              </Choice>
            ))}
          </Group>
        )}
        {machines !== undefined && machines.length > 0 && (
          <Group heading="Machines">
            {machines.map(({ name, state }) => (
              <Choice
                key={name}
                icon={Server}
                onSelect={then(() => navigate({ to: "/machines/$name", params: { name } }))}
                aside={<StateDot look={lookOfMachine(state)} />}
              >
                {name}
              </Choice>
            ))}
          </Group>
        )}
        {mayRestart && services.length > 0 && (
          <Group heading="Do">
            {services.map(({ environment, service }) => (
              <Choice
                key={`${environment}/${service}`}
                icon={RotateCw}
                onSelect={then(() => props.askRestart({ environment, service }))}
              >
                Restart {environment}/{service}
              </Choice>
            ))}
          </Group>
        )}
        <Group heading="This window">
          {themes.map(({ theme, word, icon }) => (
            <Choice key={theme} icon={icon} onSelect={then(() => setAppearance({ theme }))}>
              Theme: {word.toLowerCase()}
            </Choice>
          ))}
          <Choice icon={LogOut} onSelect={then(signOut)}>
            Sign out
          </Choice>
        </Group>
      </Command.List>
    </Command>
  );
}

function Group({ heading, children }: { readonly heading: string; readonly children: ReactNode }) {
  return (
    <Command.Group
      heading={heading}
      className="[&_[cmdk-group-heading]]:px-3 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-small [&_[cmdk-group-heading]]:text-soft"
    >
      {children}
    </Command.Group>
  );
}

interface ChoiceProps {
  readonly icon: LucideIcon;
  readonly aside?: ReactNode;
  onSelect(): void;
  readonly children: ReactNode;
}

function Choice({ icon: Icon, aside, onSelect, children }: ChoiceProps) {
  return (
    <Command.Item
      onSelect={onSelect}
      className="flex min-h-9 cursor-pointer items-center gap-2.5 rounded-base px-3 data-[selected=true]:bg-accent-wash"
    >
      <Icon aria-hidden className="size-4 shrink-0 text-soft" />
      <span className="min-w-0 truncate">{children}</span>
      {aside !== undefined && <span className="ml-auto text-small">{aside}</span>}
    </Command.Item>
  );
}
