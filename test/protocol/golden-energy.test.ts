import { describe, expect, test } from "vitest";
import { metric } from "../../src/model/metric.ts";
import { request } from "../../src/protocol/command.ts";
import { matchChecksum, type ChecksumHabit } from "../../src/protocol/crc.ts";
import { encodeCommand, hasZeroByte } from "../../src/protocol/encode.ts";
import { findRequest, pi30 } from "../../src/protocol/pi30/dialect.ts";
import { read, vendorChecksum } from "./vectors.ts";

describe("energy counters", () => {
  test.each([
    ["QET", "10636700", "pvEnergyTotal", 10_636_700],
    ["QET", "00238800", "pvEnergyTotal", 238_800],
    ["QEY2024", "04626900", "pvEnergyOfYear", 4_626_900],
    ["QEM202410", "00215700", "pvEnergyOfMonth", 215_700],
    ["QED20241022", "00003899", "pvEnergyOfDay", 3899],
    ["QLY2024", "00766900", "loadEnergyOfYear", 766_900],
    ["QLM202410", "00491200", "loadEnergyOfMonth", 491_200],
    ["QLD20241022", "00017865", "loadEnergyOfDay", 17_865],
  ] as const)("%s %s", (command, payload, name, value) => {
    expect(read(command, payload)).toEqual({ values: { [name]: value }, tail: [] });
    expect(metric[name]).toMatchObject({ unit: "Wh", kind: "cumulative" });
  });

  test("none can be told from another by its reply", () => {
    const counters = pi30.filter(({ code }) => /^Q[EL][TYMD]/.test(code));
    expect(counters.map(({ code }) => code).toSorted()).toEqual(
      ["QET", "QEYyyyy", "QEMyyyymm", "QEDyyyymmdd", "QLT", "QLYyyyy", "QLMyyyymm", "QLDyyyymmdd"].toSorted(),
    );
    expect(new Set(counters.map(({ shape }) => shape))).toEqual(new Set(["energy"]));
  });
});

describe("dates", () => {
  const [first, last] = [2015, 2045];
  const digits = (value: number): string => String(value).padStart(2, "0");

  /** Every year, month and day of the years 2015 to 2045, as the commands carry them. */
  function* everyDate(): Generator<string> {
    for (let year = first; year <= last; year++) {
      yield String(year);
      for (let month = 1; month <= 12; month++) {
        yield `${year}${digits(month)}`;
        const days = [2].includes(month) ? (year % 4 === 0 ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
        for (let day = 1; day <= days; day++) yield `${year}${digits(month)}${digits(day)}`;
      }
    }
  }
  const letterOf: Readonly<Record<number, string>> = { 4: "Y", 6: "M", 8: "D" };
  const commands = [...everyDate()].flatMap((date) => ["E", "L"].map((kind) => `Q${kind}${letterOf[date.length]}${date}`));

  const habits: readonly ChecksumHabit[] = ["plain", "zeroBumped"];
  const isOwnChecksum = (frame: Uint8Array, habit: ChecksumHabit): boolean => {
    const plain = vendorChecksum(frame.slice(0, -3));
    const wanted = habit === "plain" ? plain : plain.map((byte) => (byte === 0 ? 1 : byte));
    return frame.at(-3) === wanted[0] && frame.at(-2) === wanted[1] && frame.at(-1) === 0x0d;
  };

  test("of every day, month and year from 2015 to 2045 are found, and both checksum habits give a frame that is recognised", () => {
    expect(commands).toHaveLength(2 * (11_323 + 31 * 12 + 31));
    const wrong: string[] = [];
    let withZero = 0;
    for (const command of commands) {
      const { query } = findRequest(command);
      if (request(query, command.slice(3)).command !== command) wrong.push(`${command} is not asked as it was found`);
      if (hasZeroByte(command)) withZero++;
      for (const habit of habits) {
        const frame = encodeCommand(command, habit);
        const end = frame.length - 3;
        const found = matchChecksum(frame, 0, end, frame[end]!, frame[end + 1]!);
        const wanted = hasZeroByte(command) ? habit : "plain";
        if (!isOwnChecksum(frame, habit)) wrong.push(`${command} has a wrong checksum (${habit})`);
        if (found !== wanted) wrong.push(`${command} is recognised as ${found}, not ${wanted}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(withZero).toBeGreaterThan(100);
  });

  test.each([
    "QED20230229",
    "QED20241301",
    "QED20240431",
    "QED20240100",
    "QED19991231",
    "QED21000101",
    "QED2024102",
    "QED202410221",
    "QEM202413",
    "QEM202400",
    "QEY1999",
    "QEY20245",
    "QEDyyyymmdd",
    "QET2024",
    "QEY",
  ])("%s is none", (command) => {
    expect(() => findRequest(command)).toThrow(expect.objectContaining({ code: "command-unknown" }));
  });

  test("a leap day is one, and the wrong argument is refused with the right one", () => {
    const { query } = findRequest("QED20240229");
    expect(() => request(query, "20230229")).toThrow("QEDyyyymmdd: expected a date 20000101 to 20991231, got 20230229");
    expect(() => request(query)).toThrow("got none");
  });
});
