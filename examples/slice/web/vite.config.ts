import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  // Nothing as data: in the page: its policy allows files of this site alone.
  build: { target: "es2023", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
});
