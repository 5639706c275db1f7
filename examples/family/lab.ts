import { assembleLab } from "@fed/lab";
import { base } from "./base.ts";
import { data } from "./data.ts";
import { shop } from "./shop.ts";

/** A family of machines and three environments, over several files: a change goes dev → staging → prod. */
export default assembleLab(base, [data, shop]);
