import { z } from "zod";
import { Fault, type FaultCode, faultCodeOfStatus, faultCodes, faultTable } from "#base/fault.ts";

/** A Fault on the wire: problem+json of RFC 9457, with fed's code, hint and details as extensions. */
export const problemShape = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  code: z.enum(faultCodes as [FaultCode, ...FaultCode[]]),
  hint: z.string().optional(),
  details: z.unknown().optional(),
});

export type Problem = z.infer<typeof problemShape>;

export const problemType = "application/problem+json";

/** The Fault as problem+json. What lay beneath an internal fault stays inside. */
export function problemOf(fault: Fault): Problem {
  const { status, title } = faultTable[fault.code];
  return {
    type: `urn:fed:fault:${fault.code}`,
    title,
    status,
    detail: fault.message,
    code: fault.code,
    ...(fault.hint === undefined ? {} : { hint: fault.hint }),
    ...(fault.details === undefined ? {} : { details: fault.details }),
  };
}

/** What the part of the API that is Prometheus' answers instead. */
const prometheusErrorShape = z.object({ status: z.literal("error"), errorType: z.string(), error: z.string() });

/** The Fault that a problem+json answer was made from; an answer of another kind is read by its status. */
export function faultOfProblem(body: unknown, status: number): Fault {
  const problem = problemShape.safeParse(body);
  const other = prometheusErrorShape.safeParse(body).data;
  if (other !== undefined) {
    // Its status for this is the one of what cannot be reached.
    return new Fault(other.errorType === "timeout" ? "timeout" : faultCodeOfStatus(status), other.error);
  }
  if (!problem.success) return new Fault(faultCodeOfStatus(status), `the hub answered with status ${status}`);
  const { code, detail, hint, details } = problem.data;
  return new Fault(code, detail, { hint, details });
}
