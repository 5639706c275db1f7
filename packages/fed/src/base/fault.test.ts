import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fault, faultCodeOfStatus, faultCodes, faultTable, isFault, toFault } from "./fault.ts";

describe("the fault table", () => {
  it("gives every code a status and an exit code of its own", () => {
    expect(new Set(faultCodes.map((code) => faultTable[code].status)).size).toBe(faultCodes.length);
    expect(new Set(faultCodes.map((code) => faultTable[code].exit)).size).toBe(faultCodes.length);
  });

  it("keeps out of the exit codes that mean something else", () => {
    for (const code of faultCodes) {
      const { exit, status } = faultTable[code];
      // 0 is success, 3 is "there are changes", from 126 on the shell speaks.
      expect([0, 3]).not.toContain(exit);
      expect(exit).toBeLessThan(126);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(600);
    }
  });

  it("is read backwards", () => {
    for (const code of faultCodes) expect(faultCodeOfStatus(faultTable[code].status)).toBe(code);
    expect(faultCodeOfStatus(400)).toBe("invalid");
    expect(faultCodeOfStatus(401)).toBe("unauthenticated");
    expect(faultCodeOfStatus(503)).toBe("unreachable");
    expect(faultCodeOfStatus(418)).toBe("internal");
    expect(faultCodeOfStatus(200)).toBe("internal");
  });
});

describe("toFault", () => {
  it("keeps a Fault as it is", () => {
    const fault = new Fault("missing", "no such lab", { hint: "look again", details: { lab: "x" } });
    expect(toFault(fault)).toBe(fault);
    expect(fault).toMatchObject({ name: "Fault", code: "missing", hint: "look again", details: { lab: "x" } });
    expect("cause" in fault).toBe(false);
  });

  it("makes a Fault of anything thrown, keeping it as the cause", () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true }), (thrown) => {
        const fault = toFault(thrown);
        expect(isFault(fault)).toBe(true);
        expect(fault.code).toBe("internal");
        expect(typeof fault.message).toBe("string");
        if (thrown !== undefined) expect(fault.cause).toBe(thrown);
      }),
    );
  });

  it("takes over an error's message, or its name when there is none", () => {
    expect(toFault(new RangeError("too big")).message).toBe("too big");
    expect(toFault(new RangeError()).message).toBe("RangeError");
  });
});
