import { Link, useRouter } from "@tanstack/react-router";
import { MapPinOff } from "lucide-react";
import { EmptyState } from "../view/empty-state.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { PageHeader } from "../view/page-header.tsx";

/** For a page that broke: what happened, and a way on. */
export function Broken({ error, reset }: { readonly error: unknown; reset(): void }) {
  const router = useRouter();
  const again = () => {
    reset();
    void router.invalidate();
  };
  return (
    <main className="p-4">
      <PageHeader title="This page broke" />
      <ErrorState thrown={error} retry={again} />
    </main>
  );
}

export function NotFound() {
  return (
    <main className="p-4">
      <PageHeader title="No such page" />
      <EmptyState icon={MapPinOff} title="There is nothing at this address">
        <Link to="/" className="text-accent underline">
          Go to the overview
        </Link>
      </EmptyState>
    </main>
  );
}
