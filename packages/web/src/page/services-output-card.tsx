import { api } from "@fed/fed/wire/api.ts";
import { Eraser, WrapText } from "lucide-react";
import { useEffect, useMemo, useReducer, useState } from "react";
import { client } from "../hub.ts";
import { Badge } from "../view/badge.tsx";
import { IconButton } from "../view/button.tsx";
import { Card } from "../view/card.tsx";
import { instanceText } from "../view/event.ts";
import { readFault } from "../view/fault.ts";
import { SearchInput, Select, Switch } from "../view/field.tsx";
import { countText } from "../view/format.ts";
import { appendLines, emptyOutput, filterBlocks, mostLines, type Output } from "./services-output.ts";
import { OutputView } from "./services-output-view.tsx";
import { type OutputListener, readOutput } from "./services-reader.ts";

interface Shown {
  readonly output: Output;
  /** In words, while the stream is broken. */
  readonly broken: string | undefined;
}

type Change =
  | { readonly kind: "lines"; readonly lines: Parameters<OutputListener["onLines"]>[0] }
  | { readonly kind: "again" }
  | { readonly kind: "cleared" }
  | { readonly kind: "broken"; readonly why: string };

function change({ output, broken }: Shown, what: Change): Shown {
  switch (what.kind) {
    case "lines":
      return { output: appendLines(output, what.lines), broken: undefined };
    case "again":
      return { output: { ...emptyOutput, next: output.next }, broken: undefined };
    case "cleared":
      return { output: { ...emptyOutput, next: output.next }, broken };
    case "broken":
      return { output, broken: what.why };
  }
}

/** The lines of each instance that are read to begin with. */
const tail = 500;

function useOutput(environment: string, service: string) {
  const [shown, dispatch] = useReducer(change, { output: emptyOutput, broken: undefined });
  useEffect(() => {
    const stop = new AbortController();
    void readOutput(
      (signal) => client.stream(api.logs, { environment, service, tail, follow: "true" }, signal),
      {
        onLines: (lines) => dispatch({ kind: "lines", lines }),
        onAgain: () => dispatch({ kind: "again" }),
        onBroken: (thrown) => dispatch({ kind: "broken", why: readFault(thrown).message }),
      },
      stop.signal,
    );
    return () => stop.abort();
  }, [environment, service]);
  return { ...shown, clear: () => dispatch({ kind: "cleared" }) };
}

/** What a service prints, as it prints it. */
export function ServiceOutput({ environment, service }: { readonly environment: string; readonly service: string }) {
  const { output, broken, clear } = useOutput(environment, service);
  const [follow, setFollow] = useState(true);
  const [wrap, setWrap] = useState(true);
  const [text, setText] = useState("");
  const [instance, setInstance] = useState("");
  const instances = useMemo(
    () => [...new Set(output.blocks.flatMap(({ lines }) => lines.map((line) => line.instance)))].filter(Boolean),
    [output],
  );
  const blocks = useMemo(() => filterBlocks(output.blocks, { text, instance }), [output, text, instance]);
  const found = blocks === output.blocks ? undefined : blocks.reduce((sum, { lines }) => sum + lines.length, 0);
  return (
    <Card
      flush
      title="Output"
      about={aboutOutput(output, found)}
      actions={
        <>
          {broken !== undefined && <Badge tone="warn">Interrupted, trying again</Badge>}
          <SearchInput label="Find in the output" value={text} onChange={setText} className="w-48 max-sm:w-full" />
          {(instances.length > 1 || instance !== "") && (
            <Select
              aria-label="Of which instance"
              value={instance}
              onChange={(event) => setInstance(event.target.value)}
              className="w-36"
            >
              <option value="">All instances</option>
              {[...new Set([...instances, ...(instance === "" ? [] : [instance])])].map((id) => (
                <option key={id} value={id}>
                  {instanceText(id)}
                </option>
              ))}
            </Select>
          )}
          <Switch label="Follow" checked={follow} onChange={setFollow} />
          <IconButton label="Wrap long lines" icon={WrapText} pressed={wrap} onClick={() => setWrap(!wrap)} />
          <IconButton label="Clear what is shown" icon={Eraser} onClick={clear} />
        </>
      }
    >
      <OutputView
        label={`Output of ${environment}/${service}`}
        blocks={blocks}
        instances={instances}
        sought={text}
        wrap={wrap}
        follow={follow}
        onFollow={setFollow}
        empty={emptyText(output, broken, text !== "" || instance !== "")}
      />
    </Card>
  );
}

function aboutOutput({ size, dropped }: Output, found: number | undefined): string {
  const all = dropped > 0 ? `the newest ${mostLines.toLocaleString("en")} lines` : countText(size, "line");
  return found === undefined ? `Live, ${all}` : `${found.toLocaleString("en")} of ${all}`;
}

function emptyText({ size }: Output, broken: string | undefined, filtered: boolean): string {
  if (filtered && size > 0) return "No line has what you look for.";
  return broken === undefined
    ? "Nothing printed yet. What it prints appears here as it comes."
    : `The output cannot be read just now: ${broken}. It is tried again by itself.`;
}
