import { Monitor, Moon, Sun } from "lucide-react";
import { type Appearance, setAppearance, useAppearance } from "../appearance.ts";
import { Card } from "../view/card.tsx";
import { Choice } from "../view/choice.tsx";

const themes = [
  { value: "system", label: "System", icon: Monitor },
  { value: "light", label: "Light", icon: Sun },
  { value: "dark", label: "Dark", icon: Moon },
] as const satisfies readonly { readonly value: Appearance["theme"]; readonly label: string; readonly icon: unknown }[];

const densities = [
  { value: "comfortable", label: "Comfortable" },
  { value: "compact", label: "Compact" },
] as const satisfies readonly { readonly value: Appearance["density"]; readonly label: string }[];

export function AppearanceSettings() {
  const { theme, density } = useAppearance();
  return (
    <Card title="Appearance" about="For this browser alone">
      <div className="flex flex-col gap-5">
        <Choice legend="Theme" options={themes} value={theme} onChange={(value) => setAppearance({ theme: value })} />
        <Choice
          legend="Rows of lists"
          options={densities}
          value={density}
          onChange={(value) => setAppearance({ density: value })}
        />
      </div>
    </Card>
  );
}
