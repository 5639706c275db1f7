import { cx } from "./class-names.ts";

/** Keeps the place of what is on its way. */
function Skeleton({ className }: { readonly className?: string }) {
  return <span aria-hidden className={cx("block h-4 animate-pulse rounded-small bg-hover", className)} />;
}

const lines = ["w-2/3", "w-1/2", "w-3/5", "w-2/5"] as const;

/** A few lines of it, announced once. */
export function SkeletonRows({ label = "Loading" }: { readonly label?: string }) {
  return (
    <div role="status" aria-label={label} className="flex flex-col gap-4 p-4">
      {lines.map((width) => (
        <Skeleton key={width} className={width} />
      ))}
    </div>
  );
}
