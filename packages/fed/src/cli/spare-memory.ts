import { setFlagsFromString } from "node:v8";

/**
 * Node gives small buffers a share of 64 KiB, which stay for as long as one of them lives: connections to hundreds of machines hold a few
 * each, for days.
 */
const poolBytes = 8 * 1024;

/**
 * For a program that runs for years beside others; V8's settings hold in all of its threads. To be called when it has started, which
 * they would slow down. V8 collects garbage when a heap has grown by a fifth, not when it is twice as large, and gives free pages back
 * at once.
 */
export function spareMemory(): void {
  Buffer.poolSize = poolBytes;
  setFlagsFromString("--heap-growing-percent=20");
  setFlagsFromString("--no-memory-pool");
}
