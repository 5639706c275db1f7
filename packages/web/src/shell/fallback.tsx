import { Link, useRouter } from "@tanstack/react-router";
import { MapPinOff } from "lucide-react";
import { EmptyState } from "../view/empty-state.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { PageHeader } from "../view/page-header.tsx";

interface BrokenProps {
  readonly error: unknown;
  reset(): void;
}

/** In the place of a page that broke: what happened, and a way on. */
export function Broken({ error, reset }: BrokenProps) {
  const router = useRouter();
  const again = () => {
    reset();
    void router.invalidate();
  };
  return (
    <>
      <PageHeader title="This page cannot be shown" />
      <ErrorState thrown={error} retry={again} />
    </>
  );
}

/** The same where nothing stands around it. */
export function BrokenAlone(props: BrokenProps) {
  return (
    <main className="p-4">
      <Broken {...props} />
    </main>
  );
}

export function NotFound() {
  return (
    <>
      <PageHeader title="No such page" />
      <EmptyState icon={MapPinOff} title="There is nothing at this address">
        <Link to="/" className="text-accent underline">
          Go to the overview
        </Link>
      </EmptyState>
    </>
  );
}

export function NotFoundAlone() {
  return (
    <main className="p-4">
      <NotFound />
    </main>
  );
}
