import { setPriority } from "node:os";
import { findDamage } from "#disk/sqlite-check.ts";

/** A program that checks the database it is given the path of, behind all else, and prints what is wrong with it as JSON. */
setPriority(10);
process.stdout.write(JSON.stringify({ damage: findDamage(process.argv[2] ?? "", "full") }));
