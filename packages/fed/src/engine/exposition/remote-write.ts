import { Fault } from "#base/fault.ts";
import { type Labels, labelsOf } from "../series/labels.ts";
import type { Series } from "../series/series.ts";
import { BrokenMessage, MessageReader, MessageWriter, wireTypes } from "./protobuf.ts";
import type { MetricNote } from "./text.ts";

export interface RemoteWriteReader {
  /** Asked first for each series, with where in the request it lies; true when it is dealt with already. */
  again?(begin: number, end: number): boolean;
  /**
   * One series of the request. `key` is its labels as they came, byte for byte: who has seen it before need not call
   * `labels`. Times in milliseconds, in the order they came; the arrays are the caller's. Faults of `labels` are `invalid`.
   */
  series(key: string, labels: () => Labels, times: Float64Array<ArrayBuffer>, values: Float64Array<ArrayBuffer>): void;
  /** Native histograms came with this series; they are not kept. */
  histograms?(count: number): void;
  /** What the request says of metrics. */
  note?(note: MetricNote): void;
}

/**
 * Reads `prometheus.WriteRequest` (remote write 1.0), already unpacked. Fault `invalid` for bytes that are none; what came
 * before the broken place has been told then. Source: prometheus/prompb/remote.proto and types.proto.
 */
export function readWriteRequest(bytes: Uint8Array, reader: RemoteWriteReader): void {
  const message = new MessageReader(bytes);
  try {
    while (message.next()) {
      if (message.field !== 1 && message.field !== 3) message.skip();
      else {
        const end = message.enter();
        if (message.field === 3) readMetadata(new MessageReader(bytes, message.at, end), reader);
        else if (reader.again?.(message.at, end) !== true) {
          readTimeSeries(new MessageReader(bytes, message.at, end), reader);
        }
        message.at = end;
      }
    }
  } catch (thrown) {
    if (!(thrown instanceof BrokenMessage)) throw thrown;
    throw new Fault("invalid", `this is no request of remote write: ${thrown.message} (at byte ${message.at})`, {
      hint: "Send prometheus.WriteRequest 1.0, packed by snappy's block format.",
      cause: thrown,
    });
  }
}

function readTimeSeries(series: MessageReader, reader: RemoteWriteReader): void {
  const { bytes } = series;
  const places: number[] = [];
  let key = "";
  let samples = 0;
  let histograms = 0;
  const begin = series.at;
  while (series.next()) {
    const end = series.enter();
    if (series.field === 1) {
      places.push(series.at, end);
      key += latin1(bytes, series.at, end);
      key += "\u0100";
    } else if (series.field === 2) samples++;
    else if (series.field === 4) histograms++;
    series.at = end;
  }
  if (histograms > 0) reader.histograms?.(histograms);
  if (samples === 0) return;
  const times = new Float64Array(samples);
  const values = new Float64Array(samples);
  const bits = new Uint32Array(values.buffer);
  series.at = begin;
  for (let n = 0; series.next(); ) {
    const end = series.enter();
    if (series.field === 2) readSample(new MessageReader(bytes, series.at, end), times, bits, n++);
    series.at = end;
  }
  reader.series(key, () => readLabels(bytes, places), times, values);
}

/** By number, as `MetricMetadata.MetricType` has them. */
const metricTypes = ["unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset"];

function readMetadata(metadata: MessageReader, { note }: RemoteWriteReader): void {
  let [type, metric, help, unit] = ["unknown", "", "", ""];
  while (metadata.next()) {
    const { field, wireType } = metadata;
    if (field === 1 && wireType === wireTypes.varint) type = metricTypes[metadata.varint()] ?? "unknown";
    else if (wireType !== wireTypes.bytes) metadata.skip();
    else {
      const end = metadata.enter();
      const text = readText(metadata.bytes.subarray(metadata.at, end), "what is said of a metric");
      if (field === 2) metric = text;
      else if (field === 4) help = text;
      else if (field === 5) unit = text;
      metadata.at = end;
    }
  }
  if (metric === "") return;
  note?.({ about: "type", metric, text: type });
  note?.({ about: "help", metric, text: help });
  if (unit !== "") note?.({ about: "unit", metric, text: unit });
}

function latin1(bytes: Uint8Array, begin: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + begin, end - begin).toString("latin1");
}

function readSample(sample: MessageReader, times: Float64Array, bits: Uint32Array, n: number): void {
  const { bytes } = sample;
  while (sample.next()) {
    if (sample.field === 1 && sample.wireType === wireTypes.fixed64) {
      const from = sample.advance(8);
      for (let half = 0; half < 2; half++) {
        const at = from + half * 4;
        // By its bits: a marker of staleness is a NaN of its own.
        bits[n * 2 + half] =
          (bytes[at] as number) |
          ((bytes[at + 1] as number) << 8) |
          ((bytes[at + 2] as number) << 16) |
          ((bytes[at + 3] as number) << 24);
      }
    } else if (sample.field === 2 && sample.wireType === wireTypes.varint) times[n] = sample.int64();
    else sample.skip();
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function readLabels(bytes: Uint8Array, places: readonly number[]): Labels {
  const record: Record<string, string> = Object.create(null);
  for (let i = 0; i < places.length; i += 2) {
    const label = new MessageReader(bytes, places[i], places[i + 1]);
    let name = "";
    let value = "";
    while (label.next()) {
      if (label.field !== 1 && label.field !== 2) label.skip();
      else {
        const end = label.enter();
        const text = readText(bytes.subarray(label.at, end));
        if (label.field === 1) name = text;
        else value = text;
        label.at = end;
      }
    }
    if (name === "") throw new Fault("invalid", "a label has no name");
    if (name in record) throw new Fault("invalid", `the label ${name} is there twice`);
    record[name] = value;
  }
  return labelsOf(record);
}

function readText(bytes: Uint8Array, what = "a label"): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new Fault("invalid", `${what} is no UTF-8 text`, { cause });
  }
}

/** The request that says these samples, not yet packed. */
export function writeWriteRequest(all: readonly Series[]): Uint8Array<ArrayBuffer> {
  const request = new MessageWriter();
  for (const { labels, times, values } of all) {
    const named = labelBytesOf(labels);
    let sizeBytes = named.length;
    for (const timeMs of times) {
      const size = sampleBytes(timeMs);
      sizeBytes += 1 + varintBytes(size) + size;
    }
    request.tag(1, wireTypes.bytes);
    request.varint(sizeBytes);
    request.append(named);
    const bits = new DataView(values.buffer, values.byteOffset, values.byteLength);
    for (const [n, timeMs] of times.entries()) {
      request.tag(2, wireTypes.bytes);
      request.varint(sampleBytes(timeMs));
      request.tag(1, wireTypes.fixed64);
      request.fixed64(bits.getUint32(n * 8, true), bits.getUint32(n * 8 + 4, true));
      request.tag(2, wireTypes.varint);
      request.int64(timeMs);
    }
  }
  return request.finish();
}

/** Two tags, a value of 8 bytes and a time; a negative one takes 10. */
const sampleBytes = (timeMs: number) => 10 + (timeMs < 0 ? 10 : varintBytes(timeMs));

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

const encoder = new TextEncoder();
/** Who writes a series once writes it again. */
const labelBytes = new WeakMap<Labels, Uint8Array>();

function labelBytesOf(labels: Labels): Uint8Array {
  const known = labelBytes.get(labels);
  if (known) return known;
  const series = new MessageWriter(256);
  for (let i = 0; i < labels.length; i += 2) {
    const label = new MessageWriter(128);
    label.tag(1, wireTypes.bytes);
    label.sized(encoder.encode(labels[i]));
    label.tag(2, wireTypes.bytes);
    label.sized(encoder.encode(labels[i + 1]));
    series.tag(1, wireTypes.bytes);
    series.sized(label.finish());
  }
  const bytes = series.finish();
  labelBytes.set(labels, bytes);
  return bytes;
}
