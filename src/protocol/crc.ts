/**
 * The one checksum of the family: CRC-16/XMODEM (polynomial 1021, start 0000, nothing reflected), high byte first,
 * and its reserved-byte rule: a checksum byte that would read as `(`, CR or LF is sent one higher, each byte on its
 * own. Some firmware, and some programs on USB, also send 01 for 00 (a zero byte looks like HID padding).
 * Source: vendor C listing in every PI30 paper; protocol notes §2 and §2.1.
 */

/** `plain` changes 28, 0D and 0A only; `zeroBumped` changes 00 as well. */
export type ChecksumHabit = "plain" | "zeroBumped";

const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});

/** The CRC before the reserved-byte rule, of `bytes[start, end)`. */
export function rawCrc(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = 0;
  for (let i = start; i < end; i++) crc = ((crc << 8) ^ table[((crc >> 8) ^ bytes[i]!) & 0xff]!) & 0xffff;
  return crc;
}

function adjust(byte: number, habit: ChecksumHabit): number {
  if (byte === 0x28 || byte === 0x0d || byte === 0x0a) return byte + 1;
  return byte === 0 && habit === "zeroBumped" ? 1 : byte;
}

/** The two checksum bytes as sent, high byte first. */
export function checksum(bytes: Uint8Array, habit: ChecksumHabit = "plain"): readonly [high: number, low: number] {
  const crc = rawCrc(bytes);
  return [adjust(crc >> 8, habit), adjust(crc & 0xff, habit)];
}

/** Which habit the received checksum follows; absent when it is wrong under both. */
export function matchChecksum(bytes: Uint8Array, start: number, end: number, high: number, low: number): ChecksumHabit | undefined {
  const crc = rawCrc(bytes, start, end);
  const plainHigh = adjust(crc >> 8, "plain");
  const plainLow = adjust(crc & 0xff, "plain");
  if (high === plainHigh && low === plainLow) return "plain";
  const zeroFits = (got: number, plain: number): boolean => got === plain || (plain === 0 && got === 1);
  return zeroFits(high, plainHigh) && zeroFits(low, plainLow) ? "zeroBumped" : undefined;
}
