/** Protobuf's wire format read by hand: for what reflection hides, such as the bits of a NaN or a field nobody knows. */

export interface WireField {
  readonly number: number;
  /** Of a varint, or of eight bytes read as one number. */
  readonly bits: bigint;
  /** Of what has a length; else empty. */
  readonly bytes: Buffer;
}

/** @throws Error where it is no message */
export function readFields(message: Buffer): WireField[] {
  const fields: WireField[] = [];
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined || shift > 63n) throw new Error('a number that does not end');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = Number(varint());
    const number = tag >>> 3;
    const wireType = tag & 7;
    if (wireType === 0) {
      fields.push({ number, bits: varint(), bytes: Buffer.alloc(0) });
    } else if (wireType === 1) {
      fields.push({ number, bits: message.readBigUInt64LE(at), bytes: Buffer.alloc(0) });
      at += 8;
    } else if (wireType === 2) {
      const length = Number(varint());
      if (at + length > message.length) throw new Error('a field longer than its message');
      fields.push({ number, bits: 0n, bytes: message.subarray(at, at + length) });
      at += length;
    } else {
      throw new Error(`wire type ${wireType}`);
    }
  }
  return fields;
}
