/** Tar as POSIX.1-2001 writes it ("pax"): what an engine takes as a build context and as files for a container. */

export interface TarEntry {
  /** Relative, with `/`; no leading one. */
  readonly name: string;
  readonly kind: "file" | "folder" | "link";
  /** Permissions alone, such as 0o644. */
  readonly mode: number;
  readonly changedMs: number;
  /** Of a file; exactly as many bytes follow, then `tarPadding`. */
  readonly sizeBytes?: number | undefined;
  /** Of a link: where it leads. */
  readonly target?: string | undefined;
  /** 0 when left out. */
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

export const tarBlockBytes = 512;
/** What an archive ends with. */
export const tarEnd: Uint8Array = new Uint8Array(2 * tarBlockBytes);

const flags = { file: "0", hardLink: "1", link: "2", folder: "5", pax: "x" } as const;
const longestName = 100;
const largestSize = 0o77777777777;
const largestOwner = 0o7777777;

/** All that comes before an entry's bytes. */
export function tarHeader(entry: TarEntry): Buffer {
  const name = entry.kind === "folder" && !entry.name.endsWith("/") ? `${entry.name}/` : entry.name;
  const { target = "", sizeBytes = 0, uid = 0, gid = 0 } = entry;
  const records = {
    ...(isShort(name) ? {} : { path: name }),
    ...(isShort(target) ? {} : { linkpath: target }),
    ...(sizeBytes > largestSize ? { size: String(sizeBytes) } : {}),
    ...(uid > largestOwner ? { uid: String(uid) } : {}),
    ...(gid > largestOwner ? { gid: String(gid) } : {}),
  };
  const own = block({ ...entry, name, target, sizeBytes, uid, gid }, flags[entry.kind]);
  if (Object.keys(records).length === 0) return own;
  const extra = Buffer.concat(Object.entries(records).map(([key, value]) => paxRecord(key, value)));
  const before = { name: "pax", mode: 0o644, changedMs: 0, target: "", sizeBytes: extra.length, uid: 0, gid: 0 };
  return Buffer.concat([block(before, flags.pax), extra, tarPadding(extra.length), own]);
}

/** Zeros that fill the last block of so many bytes. */
export function tarPadding(sizeBytes: number): Uint8Array {
  return new Uint8Array((tarBlockBytes - (sizeBytes % tarBlockBytes)) % tarBlockBytes);
}

/** An archive of small files, whole. */
export function packTar(
  files: readonly (Omit<TarEntry, "kind" | "sizeBytes"> & { readonly content: Uint8Array })[],
): Buffer {
  const parts = files.flatMap(({ content, ...entry }) => [
    tarHeader({ ...entry, kind: "file", sizeBytes: content.length }),
    content,
    tarPadding(content.length),
  ]);
  return Buffer.concat([...parts, tarEnd]);
}

/** A small file, whole. */
export function tarFile(name: string, content: Uint8Array): Buffer {
  const header = tarHeader({ name, kind: "file", mode: 0o644, changedMs: 0, sizeBytes: content.length });
  return Buffer.concat([header, content, tarPadding(content.length)]);
}

/** A second name for a file that is in the archive already. */
export function tarHardLink(name: string, target: string): Buffer {
  return block({ name, target, mode: 0o644, changedMs: 0, sizeBytes: 0, uid: 0, gid: 0 }, flags.hardLink);
}

type Field = Required<Pick<TarEntry, "name" | "mode" | "changedMs">> & {
  readonly target: string;
  readonly sizeBytes: number;
  readonly uid: number;
  readonly gid: number;
};

function block(field: Field, flag: string): Buffer {
  const bytes = Buffer.alloc(tarBlockBytes);
  bytes.write(field.name, 0, longestName);
  writeOctal(bytes, 100, 8, field.mode & 0o7777);
  writeOctal(bytes, 108, 8, Math.min(field.uid, largestOwner));
  writeOctal(bytes, 116, 8, Math.min(field.gid, largestOwner));
  writeOctal(bytes, 124, 12, Math.min(field.sizeBytes, largestSize));
  writeOctal(bytes, 136, 12, Math.max(0, Math.min(Math.floor(field.changedMs / 1_000), largestSize)));
  bytes.fill(" ", 148, 156);
  bytes.write(flag, 156);
  bytes.write(field.target, 157, longestName);
  bytes.write("ustar\u000000", 257, "latin1");
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return bytes;
}

function writeOctal(bytes: Buffer, at: number, length: number, value: number): void {
  bytes.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
}

/** What fits into the header's own field, and is the same in every encoding. */
function isShort(text: string): boolean {
  return text.length <= longestName && /^[\x20-\x7e]*$/.test(text);
}

/** `<length> <key>=<value>\n`, where the length counts itself. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}
