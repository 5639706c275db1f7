import { probeSuite } from "#port/probe.suite.ts";
import { makeLocalProbe } from "./probe.ts";

probeSuite("local", makeLocalProbe);
