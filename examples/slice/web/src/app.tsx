import { useEffect, useState } from "react";
import { ask } from "./ask.ts";
import { Door } from "./door.tsx";
import { Notes } from "./notes.tsx";

interface About {
  readonly title: string;
  readonly environment: string;
}

type Who =
  | { readonly kind: "asking" }
  | { readonly kind: "nobody" }
  | { readonly kind: "person"; readonly name: string };

export function App() {
  const [about, setAbout] = useState<About>({ title: "Notes", environment: "" });
  const [who, setWho] = useState<Who>({ kind: "asking" });
  useEffect(() => {
    void ask<About>("GET", "about").then((answer) => {
      if (answer.kind !== "said") return;
      setAbout(answer.said);
      document.title = answer.said.title;
    });
    void ask<{ name: string }>("GET", "me").then((answer) => {
      setWho(answer.kind === "said" ? { kind: "person", name: answer.said.name } : { kind: "nobody" });
    });
  }, []);
  const leave = async () => {
    const answer = await ask("POST", "sign-out", {});
    if (answer.kind === "said") setWho({ kind: "nobody" });
  };
  return (
    <main>
      <header>
        <h1>{about.title}</h1>
        {who.kind === "person" && (
          <p>
            {who.name}{" "}
            <button type="button" className="quiet" onClick={() => void leave()}>
              Sign out
            </button>
          </p>
        )}
      </header>
      {who.kind === "nobody" && <Door enter={(name) => setWho({ kind: "person", name })} />}
      {who.kind === "person" && <Notes />}
      {about.environment !== "" && <footer>Environment {about.environment}</footer>}
    </main>
  );
}
