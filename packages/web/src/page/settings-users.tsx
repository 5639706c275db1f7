import { api } from "@fed/fed/wire/api.ts";
import type { Link, WireUser } from "@fed/fed/wire/user.ts";
import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { client, queries, usersQuery } from "../hub.ts";
import { Button } from "../view/button.tsx";
import { Card } from "../view/card.tsx";
import { ConfirmDialog, Dialog } from "../view/dialog.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { SkeletonRows } from "../view/skeleton.tsx";
import { HeadCell, Table } from "../view/table.tsx";
import { toast } from "../view/toast-store.ts";
import { AddUser, LinkStep } from "./settings-user-add.tsx";
import { RoleDialog } from "./settings-user-role.tsx";
import { type UserDeed, UserRow } from "./settings-user-row.tsx";

function refresh(): Promise<void> {
  return queries.invalidateQueries({ queryKey: usersQuery.queryKey });
}

/** Who may sign in, and as what. Only admins come here. */
export function UserSettings() {
  const { data: users, error, refetch } = useQuery(usersQuery);
  const [adding, setAdding] = useState(false);
  const [asked, setAsked] = useState<{ readonly deed: UserDeed; readonly user: WireUser }>();
  const [made, setMade] = useState<{ readonly name: string; readonly link: Link }>();
  const leave = () => setAsked(undefined);
  const user = asked?.user;
  return (
    <Card
      flush
      title="Users"
      about="Everybody who may sign in, or could"
      actions={
        <Button kind="primary" icon={Plus} onClick={() => setAdding(true)}>
          Add a user
        </Button>
      }
    >
      {error && !users && <ErrorState thrown={error} retry={refetch} />}
      {!users && !error && <SkeletonRows label="Loading users" />}
      {users && (
        <Table label="Users">
          <thead>
            <tr>
              <HeadCell>Name</HeadCell>
              <HeadCell>State</HeadCell>
              <HeadCell className="max-sm:hidden">Role</HeadCell>
              <HeadCell className="max-md:hidden">Last sign-in</HeadCell>
              <HeadCell className="max-md:hidden">Added</HeadCell>
              <HeadCell className="w-12">
                <span className="sr-only">Deeds</span>
              </HeadCell>
            </tr>
          </thead>
          <tbody>
            {users.map((one) => (
              <UserRow key={one.id} user={one} onDeed={(deed) => setAsked({ deed, user: one })} />
            ))}
          </tbody>
        </Table>
      )}
      <AddUser open={adding} onOpenChange={setAdding} users={users ?? []} onAdded={refresh} />
      {user && asked.deed === "role" && <RoleDialog user={user} close={leave} onChanged={refresh} />}
      <ConfirmDialog
        open={asked?.deed === "disable"}
        onOpenChange={leave}
        title={`Disable ${user?.name ?? ""}?`}
        action="Disable"
        danger
        onConfirm={() => run(user, "disabled", (name) => client.call(api.disableUser, { name }))}
      >
        <p>All sessions of {user?.name} end, and their API tokens stop working. You can enable them again.</p>
      </ConfirmDialog>
      <ConfirmDialog
        open={asked?.deed === "enable"}
        onOpenChange={leave}
        title={`Enable ${user?.name ?? ""}?`}
        action="Enable"
        onConfirm={() => run(user, "enabled", (name) => client.call(api.enableUser, { name }))}
      >
        <p>{user?.name} may sign in again, with the password they had.</p>
      </ConfirmDialog>
      <ConfirmDialog
        open={asked?.deed === "reset"}
        onOpenChange={leave}
        title={`Reset the password of ${user?.name ?? ""}?`}
        action="Reset"
        danger
        onConfirm={async () => {
          if (!user) return;
          const { link } = await client.call(api.resetUser, { name: user.name });
          await refresh();
          setMade({ name: user.name, link });
        }}
      >
        <p>
          All sessions of {user?.name} end and the password is forgotten. You get a link for them to choose a new one.
        </p>
      </ConfirmDialog>
      <Dialog open={made !== undefined} onOpenChange={() => setMade(undefined)} title="Reset link">
        {made && <LinkStep name={made.name} link={made.link} close={() => setMade(undefined)} />}
      </Dialog>
    </Card>
  );
}

async function run(user: WireUser | undefined, word: string, deed: (name: string) => Promise<unknown>): Promise<void> {
  if (!user) return;
  await deed(user.name);
  await refresh();
  toast({ tone: "good", title: `${user.name} was ${word}` });
}
