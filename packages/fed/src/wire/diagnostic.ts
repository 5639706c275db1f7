import { z } from "zod";

/** Something wrong in a lab file, as `@fed/lab` reports it. */
export const diagnosticShape = z.object({
  code: z.string(),
  severity: z.enum(["error", "warning"]),
  path: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  at: z.object({ file: z.string(), line: z.number().int(), column: z.number().int().optional() }).optional(),
});

export type WireDiagnostic = z.infer<typeof diagnosticShape>;
