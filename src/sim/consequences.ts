import type { Values } from "../model/reading.ts";
import type { SettingValue } from "../model/setting.ts";
import { QDI, QPIRI } from "../protocol/pi30/ratings.ts";
import { QFLAG } from "../protocol/pi30/warnings.ts";
import { numberOf } from "../protocol/setting.ts";
import type { Unit } from "./answers.ts";
import type { Member } from "./member.ts";

/** V at 48 V rated, brought along by a battery type; the lithium types get what a Pylontech wants. */
const presets: Readonly<Record<string, { readonly bulk: number; readonly float: number }>> = {
  agm: { bulk: 56.4, float: 54 },
  flooded: { bulk: 58.4, float: 54 },
};
const lithium = { bulk: 53.2, float: 53.2 };

/** What else changes with a setting. Gives the values of QPIRI that go with it. */
export function consequences({ inverter }: Unit, target: Member, name: string, value: SettingValue): Values {
  switch (name) {
    case "batteryType": {
      if (value === "userDefined") return {};
      const { bulk, float } = presets[String(value)] ?? lithium;
      const scale = (numberOf(target.shown(QPIRI), "ratedBatteryVoltage") ?? 48) / 48;
      return { batteryBulkVoltage: bulk * scale, batteryFloatVoltage: float * scale };
    }
    case "unitClock":
      target.clockAheadMs = Date.parse(`${String(value)}Z`) - inverter.localTime;
      return {};
    case "eraseEnergyCounters":
      inverter.meter.erase();
      return {};
    case "factoryReset":
      return factoryDefaults(target);
    default:
      return {};
  }
}

/** Everything as QDI has it; the way in which units are wired together stays. */
function factoryDefaults(target: Member): Values {
  const defaults = target.shown(QDI);
  const { enabledFlags = [], disabledFlags = [] } = target.shown(QFLAG) as Record<string, readonly string[]>;
  const isOn = (flag: string): boolean => (flag === "buzzer" ? defaults["buzzerSilenced"] === false : defaults[flag] === true);
  const all = [...enabledFlags, ...disabledFlags];
  target.change(QFLAG, { enabledFlags: all.filter(isOn), disabledFlags: all.filter((flag) => !isOn(flag)) });
  const { outputMode: _, outputVoltageSetting, outputFrequencySetting, ...rest } = defaults;
  return {
    ...rest,
    ...(outputVoltageSetting !== undefined && { ratedOutputVoltage: outputVoltageSetting }),
    ...(outputFrequencySetting !== undefined && { ratedOutputFrequency: outputFrequencySetting }),
  };
}
