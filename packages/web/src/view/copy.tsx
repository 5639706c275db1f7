import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { Button, IconButton } from "./button.tsx";
import { toast } from "./toast-store.ts";

/** Copies a text; over plain HTTP from another machine browsers refuse that, and it says so. */
export function CopyButton({
  text,
  label,
  word,
}: {
  readonly text: string;
  readonly label: string;
  readonly word?: string;
}) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch {
      toast({
        tone: "warn",
        title: "The browser did not let it be copied",
        detail: "Select the text and copy it yourself.",
      });
    }
  };
  const icon = copied ? Check : Copy;
  if (word === undefined) return <IconButton label={copied ? "Copied" : label} icon={icon} onClick={copy} />;
  return (
    <Button icon={icon} onClick={copy} aria-label={copied ? "Copied" : label}>
      {copied ? "Copied" : word}
    </Button>
  );
}
