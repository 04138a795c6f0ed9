// A trace as the server's columns (docs/formats/view_api.md): typed arrays over the bytes of the answer, nothing is copied and no object is made per
// span. Spans stand in the order of the tree, so that a subtree is a range.

export const FLAG = { error: 1, critical: 2, unfinished: 4, events: 8, logs: 16, orphan: 32 } as const;
const MAGIC = 'HTTRACE1';
const HEAD = 24;

export class TraceData {
  readonly n: number;
  readonly base: bigint;
  readonly start: Float64Array;
  readonly duration: Float64Array;
  readonly self: Float64Array;
  readonly parent: Int32Array;
  readonly name: Uint32Array;
  readonly service: Uint32Array;
  readonly depth: Uint16Array;
  readonly flags: Uint8Array;
  readonly texts: string[] = [];
  /** One behind the last span of each span's subtree. */
  readonly end: Uint32Array;
  readonly total: number;
  readonly errors: number;
  private readonly ids: DataView;

  /** Throws RangeError with words where the bytes are no trace. */
  constructor(bytes: ArrayBuffer) {
    const view = new DataView(bytes);
    if (bytes.byteLength < HEAD || new TextDecoder().decode(new Uint8Array(bytes, 0, 8)) !== MAGIC)
      throw new RangeError(`not ${MAGIC}`);
    const n = (this.n = view.getUint32(8, true));
    const texts = view.getUint32(12, true);
    if (bytes.byteLength < HEAD + n * 47 + texts * 4)
      throw new RangeError(`${bytes.byteLength} bytes cannot hold ${n} spans`);
    this.base = view.getBigUint64(16, true);
    let at = HEAD;
    const column = <T>(make: (offset: number) => T, width: number, count = n): T => {
      const made = make(at);
      at += width * count;
      return made;
    };
    this.start = column((offset) => new Float64Array(bytes, offset, n), 8);
    this.duration = column((offset) => new Float64Array(bytes, offset, n), 8);
    this.self = column((offset) => new Float64Array(bytes, offset, n), 8);
    this.ids = column((offset) => new DataView(bytes, offset, n * 8), 8);
    this.parent = column((offset) => new Int32Array(bytes, offset, n), 4);
    this.name = column((offset) => new Uint32Array(bytes, offset, n), 4);
    this.service = column((offset) => new Uint32Array(bytes, offset, n), 4);
    const lengths = column((offset) => new Uint32Array(bytes, offset, texts), 4, texts);
    this.depth = column((offset) => new Uint16Array(bytes, offset, n), 2);
    this.flags = column((offset) => new Uint8Array(bytes, offset, n), 1);
    const decoder = new TextDecoder();
    for (const length of lengths) {
      this.texts.push(decoder.decode(new Uint8Array(bytes, at, length)));
      at += length;
    }
    this.end = this.subtrees();
    let [total, errors] = [0, 0];
    for (let i = 0; i < n; i++) {
      total = Math.max(total, this.start[i]! + this.duration[i]!);
      errors += this.flags[i]! & FLAG.error;
    }
    this.total = total || 1;
    this.errors = errors;
  }

  private subtrees(): Uint32Array {
    const end = new Uint32Array(this.n);
    const open: number[] = [];
    for (let i = 0; i < this.n; i++) {
      while (open.length > 0 && this.depth[open[open.length - 1]!]! >= this.depth[i]!) end[open.pop()!] = i;
      open.push(i);
    }
    for (const i of open) end[i] = this.n;
    return end;
  }

  nameOf(i: number): string {
    return this.texts[this.name[i]!] ?? '';
  }
  serviceOf(i: number): string {
    return this.texts[this.service[i]!] ?? '';
  }
  has(i: number, flag: number): boolean {
    return (this.flags[i]! & flag) !== 0;
  }
  parentOf(i: number): number {
    const parent = this.parent[i]!;
    return parent >= 0 && parent < i ? parent : -1;
  }
  idOf(i: number): string {
    return this.ids
      .getBigUint64(i * 8)
      .toString(16)
      .padStart(16, '0');
  }
  find(id: string): number {
    if (!/^[0-9a-f]{1,16}$/.test(id)) return -1;
    const wanted = BigInt(`0x${id}`);
    for (let i = 0; i < this.n; i++) if (this.ids.getBigUint64(i * 8) === wanted) return i;
    return -1;
  }
  startOf(i: number): bigint {
    return this.base + BigInt(this.start[i]!);
  }
  /** Indices of the strings that contain a text, for a filter over all spans. */
  matching(text: string): Set<number> {
    const wanted = text.toLowerCase();
    return new Set(this.texts.flatMap((one, i) => (one.toLowerCase().includes(wanted) ? [i] : [])));
  }
}
