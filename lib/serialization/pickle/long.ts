/** Integers as pickles hold them: two's complement, least significant byte first, of as many bytes as they need. */

export function toTwosComplement(value: bigint): Buffer {
  // -2^(8n-1) still fits n bytes, as 2^(8n-1) - 1 does.
  const magnitude = value < 0n ? -value - 1n : value;
  const length = Math.floor(bitLength(magnitude) / 8) + 1;
  const hex = BigInt.asUintN(length * 8, value)
    .toString(16)
    .padStart(length * 2, '0');
  return Buffer.from(hex, 'hex').reverse();
}

/** Of no bytes: zero. */
export function fromTwosComplement(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n;
  const hex = Buffer.from(bytes).reverse().toString('hex');
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`));
}

function bitLength(value: bigint): number {
  const hex = value.toString(16);
  return hex.length * 4 - (Math.clz32(Number.parseInt(hex.charAt(0), 16)) - 28);
}
