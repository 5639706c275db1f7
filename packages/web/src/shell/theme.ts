import { Monitor, Moon, Sun } from "lucide-react";
import type { Appearance } from "../appearance.ts";

export const themes: readonly {
  readonly theme: Appearance["theme"];
  readonly word: string;
  readonly icon: typeof Sun;
}[] = [
  { theme: "system", word: "As the system", icon: Monitor },
  { theme: "light", word: "Light", icon: Sun },
  { theme: "dark", word: "Dark", icon: Moon },
];
