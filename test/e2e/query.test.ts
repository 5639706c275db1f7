import { expect, test } from "vitest";
import { dataOf, makeHome, makePerson } from "./person.ts";
import { makeStage, until } from "./stage.ts";

/** What a person at a shell learns of the hub's metrics, by the real program. */

interface Answer {
  readonly data: { readonly result: readonly unknown[] };
}

test("a hub's metrics are asked for, drawn and looked into from a shell", async () => {
  const { owner } = await makeHome();
  // Beside that of its machine.
  const own = 'up{job="fed",machine=""}';
  await until("up of the hub", async () => {
    const answer = dataOf<Answer>(await owner.fed("query", own, "--json"));
    return answer.data.result[0];
  });
  expect((await owner.fed("query", own)).out).toMatch(/^METRIC +INSTANCE +JOB +VALUE\nup +127.0.0.1:\d+ +fed +1\n$/);
  expect((await owner.fed("query", own, "--range", "1m", "--step", "1s")).out).toMatch(/▄+ +1 +1 +1\n/);
  expect((await owner.fed("query", own, "--csv")).out).toMatch(
    /^time,__name__,instance,job,value\n20.*Z,up,.*,fed,1\n$/,
  );
  const failed = await owner.fed("query", "fed_loop_runs_total * on () fed_loop_runs_total");
  expect(failed).toMatchObject({ code: 2, out: "" });
  expect(failed.err).toMatch(/^fed: .*match/);

  // The metrics with the most series: its own histogram is among them, however many disks and networks its machine has.
  expect((await owner.fed("tsdb", "stats")).out).toMatch(/^fed_loop_duration_seconds_bucket +\d+$/m);
  // Beside the hub that writes it.
  expect(await owner.fed("tsdb", "verify")).toMatchObject({ code: 0, out: expect.stringMatching(/^sound /) });
  const unknown = await owner.fed("query", "fed_loop_rnus_total");
  expect(unknown).toMatchObject({ code: 0, err: expect.stringContaining("did you mean fed_loop_runs_total?") });
});

test("a script of queries on stdin", async () => {
  const owner = await makePerson(await makeStage(), "owner");
  const script = "load 1m\n  up 1 2\n\neval instant at 1m up\n  up 3\n";
  const { code, out } = await owner.tell(script, "promql", "test", "-");
  expect(code).toBe(1);
  expect(out).toMatch(/^- +0 +1$/m);
});
