import type { Connection } from "./connect.ts";
import type { Lanes } from "./lanes.ts";

/** A connection, and its kept-open shells. */
export interface Seat {
  readonly connection: Connection;
  readonly lanes: Lanes;
}
