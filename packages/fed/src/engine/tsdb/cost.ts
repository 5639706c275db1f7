import { labelValue, metricName } from "../series/labels.ts";
import { idsIn } from "./id-list.ts";
import { isHeld } from "./postings.ts";
import { checkPage, enter, leave, load, type ShelfBlock } from "./shelf.ts";
import type { Store } from "./store.ts";

/** What a metric takes on the disk. */
export interface MetricCost {
  readonly name: string;
  /** Active, or in blocks. */
  readonly series: number;
  readonly samples: number;
  readonly sizeBytes: number;
}

interface BlockCost {
  readonly samples: number;
  readonly sizeBytes: number;
}

/** Blocks never change: what was counted once stays right. */
const counted = new WeakMap<ShelfBlock, ReadonlyMap<string, BlockCost>>();
/** So much of the newest blocks tells which metrics cost most; a year of blocks would take minutes to read. */
const enoughBytes = 32 * 2 ** 20;

/**
 * The metrics that cost most, by what they take in the newest blocks, of which `ofBytes` were looked at; before there are
 * any, by their series.
 */
export async function costsOf(
  store: Store,
  most: number,
): Promise<{ readonly metrics: readonly MetricCost[]; readonly ofBytes: number }> {
  const sums = new Map<string, { samples: number; sizeBytes: number }>();
  let ofBytes = 0;
  for (const block of store.blocks.toReversed()) {
    if (ofBytes > 0 && ofBytes + block.file.sizeBytes > enoughBytes) break;
    ofBytes += block.file.sizeBytes;
    for (const [name, { samples, sizeBytes }] of await costOfBlock(store, block)) {
      const sum = sums.get(name) ?? { samples: 0, sizeBytes: 0 };
      sums.set(name, { samples: sum.samples + samples, sizeBytes: sum.sizeBytes + sizeBytes });
    }
  }
  const names = [...(store.postings.byName.get(metricName) ?? [])].map(([name, ids]) => {
    const { samples, sizeBytes } = sums.get(name) ?? { samples: 0, sizeBytes: 0 };
    const series = idsIn(ids).reduce((count, id) => count + (isHeld(store.postings, id) ? 1 : 0), 0);
    return { name, series, samples, sizeBytes: Math.round(sizeBytes) };
  });
  const there = names.filter(({ series }) => series > 0);
  there.sort((a, b) => b.sizeBytes - a.sizeBytes || b.series - a.series || (a.name < b.name ? -1 : 1));
  return { metrics: there.slice(0, most), ofBytes };
}

async function costOfBlock({ shelf }: Store, block: ShelfBlock): Promise<ReadonlyMap<string, BlockCost>> {
  const known = counted.get(block);
  if (known !== undefined) return known;
  const found = new Map<string, BlockCost>();
  enter(block);
  try {
    const { pages } = await load(shelf, block);
    for (let number = 0; number < pages.length; number++) {
      const page = await checkPage(shelf, block, number);
      for (const [nth, { samples, sizeBytes }] of page?.costs().entries() ?? []) {
        const name = labelValue(page?.labels[nth] ?? [], metricName);
        const before = found.get(name) ?? { samples: 0, sizeBytes: 0 };
        found.set(name, { samples: before.samples + samples, sizeBytes: before.sizeBytes + sizeBytes });
      }
    }
  } finally {
    leave(shelf, block);
  }
  counted.set(block, found);
  return found;
}
