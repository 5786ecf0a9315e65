import type { Ratings } from "./ratings.ts";

export type ChargeStage = "bulk" | "absorption" | "float";

type ChargerRatings = Pick<Ratings, "ratedBatteryVoltage" | "batteryBulkVoltage" | "batteryFloatVoltage" | "maxCvChargeTime">;

/** The charger's stages: full current up to the bulk voltage, hold it until the battery takes little, then float. */
export class Charger {
  stage: ChargeStage = "bulk";
  #heldSeconds = 0;

  /** The voltage it charges to at the moment, V. */
  target(ratings: ChargerRatings): number {
    return this.stage === "float" ? ratings.batteryFloatVoltage : ratings.batteryBulkVoltage;
  }

  /** `slowVolts` at the battery without short dips; `amperes` into it; `limited` when the battery at the target voltage took no more. */
  step(
    seconds: number,
    ratings: ChargerRatings,
    battery: { readonly slowVolts: number; readonly amperes: number; readonly limited: boolean },
  ): void {
    const scale = ratings.ratedBatteryVoltage / 48;
    switch (this.stage) {
      case "bulk":
        if (!battery.limited) return;
        this.stage = "absorption";
        this.#heldSeconds = 0;
        return;
      case "absorption": {
        if (battery.slowVolts < ratings.batteryBulkVoltage - 2 * scale) {
          this.stage = "bulk";
          return;
        }
        this.#heldSeconds += seconds;
        const timeUp = ratings.maxCvChargeTime > 0 && this.#heldSeconds > ratings.maxCvChargeTime * 60;
        if (timeUp || (battery.limited && battery.amperes < tailAmperes)) this.stage = "float";
        return;
      }
      case "float":
        if (battery.slowVolts < ratings.batteryFloatVoltage - scale) this.stage = "bulk";
        return;
    }
  }
}

/** A battery that takes less than this at the bulk voltage is full. */
const tailAmperes = 5;
