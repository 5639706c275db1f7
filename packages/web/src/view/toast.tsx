import { X } from "lucide-react";
import { useEffect, useSyncExternalStore } from "react";
import { StateMark } from "./badge.tsx";
import { IconButton } from "./button.tsx";
import { dismissToast, listenToToasts, readToasts, type Toast, toastMs } from "./toast-store.ts";

/** Where toasts appear: once, in the shell. */
export function Toasts() {
  const toasts = useSyncExternalStore(listenToToasts, readToasts);
  return (
    <div
      role="status"
      aria-live="polite"
      className="pointer-events-none fixed inset-x-0 bottom-0 z-60 flex flex-col items-end gap-2 p-4 pb-[max(1rem,env(safe-area-inset-bottom))] max-md:bottom-14"
    >
      {toasts.map((one) => (
        <OneToast key={one.id} toast={one} />
      ))}
    </div>
  );
}

function OneToast({ toast: { id, tone, title, detail } }: { readonly toast: Toast }) {
  useEffect(() => {
    if (tone === "bad") return;
    const timer = setTimeout(() => dismissToast(id), toastMs);
    return () => clearTimeout(timer);
  }, [id, tone]);
  return (
    <div className="pointer-events-auto flex w-full max-w-sm animate-appear items-start gap-2 rounded-large border border-line bg-raised py-2 pr-1 pl-3 shadow-raised">
      <StateMark look={{ tone }} className="mt-1.5" />
      <div className="min-w-0 flex-1 py-1">
        <p className="font-medium">{title}</p>
        {detail !== undefined && <p className="[overflow-wrap:anywhere] text-small text-soft">{detail}</p>}
      </div>
      <IconButton label="Close this message" icon={X} onClick={() => dismissToast(id)} />
    </div>
  );
}
