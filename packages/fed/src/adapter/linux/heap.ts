/** Bytes of a text as they come, in one piece of memory that grows to a limit. */
export interface Heap {
  add(bytes: Uint8Array): void;
  /** All of it as text, with what is no UTF-8 replaced; it is empty then. */
  take(): { readonly text: string; readonly cut: boolean };
  /** Empty, and without the memory that it had: a hub has hundreds of these, and one at a time is filled. */
  rest(): void;
}

const smallestBytes = 4096;
const none = Buffer.alloc(0);

/** Drops what is beyond the limit. */
export function openHeap(limitBytes: number): Heap {
  let room = none;
  let length = 0;
  let cut = false;

  function grow(needed: number): void {
    let size = Math.max(room.length, smallestBytes);
    while (size < needed) size *= 2;
    const larger = Buffer.allocUnsafeSlow(Math.min(size, Math.max(limitBytes, needed)));
    larger.set(room.subarray(0, length));
    room = larger;
  }

  return {
    add(bytes) {
      const taken = bytes.subarray(0, limitBytes - length);
      if (taken.length < bytes.length) cut = true;
      if (taken.length === 0) return;
      if (length + taken.length > room.length) grow(length + taken.length);
      room.set(taken, length);
      length += taken.length;
    },
    take() {
      const said = { text: room.toString("utf8", 0, length), cut };
      length = 0;
      cut = false;
      return said;
    },
    rest() {
      room = none;
      length = 0;
      cut = false;
    },
  };
}
