import { Battery } from "./battery.ts";
import { Charger } from "./charger.ts";
import { shareOut, type FlowDemand, type Flows } from "./flows.ts";
import { Grid } from "./grid.ts";
import { Household, type Demand } from "./household.ts";
import { Meter } from "./meter.ts";
import { pvOffer, type PvOffer, type PvString } from "./pv.ts";
import { plainRatings, type Ratings } from "./ratings.ts";
import { Random } from "./random.ts";
import { clearSky, pretoria, sunAt, Weather, type Site } from "./sun.ts";

export interface InverterOptions {
  /** The same seed and start give the same life. */
  readonly seed: number;
  /** UTC epoch ms at which the simulated time begins. */
  readonly start: number;
  /** Length of one step in whole seconds; 1 by default. */
  readonly stepSeconds?: number;
  readonly site?: Site;
  /** Hours the local clock is ahead of UTC; 2 by default. */
  readonly utcOffsetHours?: number;
  readonly ratings?: Partial<Ratings>;
  /** One to three strings of panels. */
  readonly strings?: readonly PvString[];
  /** The household's size against the one that suits 8 kW; 1 by default. */
  readonly household?: number;
  /** Usable energy of the battery, Wh; by default 10 240 at 48 V and less at less. */
  readonly batteryWh?: number;
  /** State of charge at the start, 0 to 1. */
  readonly soc?: number;
  /** Chance that a two-hour slot is without grid. */
  readonly sheddingRate?: number;
}

export type Mode = "line" | "battery" | "standby" | "fault";

/** Energy since the start, whole mJ: pv + grid + batteryOut = load + batteryIn + losses, and stored = start - batteryOut + batteryIn - batteryHeat. */
export interface EnergyAccount {
  readonly pv: number;
  readonly grid: number;
  readonly batteryOut: number;
  readonly load: number;
  readonly batteryIn: number;
  readonly losses: number;
  readonly batteryHeat: number;
}

const roof: readonly PvString[] = [
  { peakWatts: 3600, voltage: 330 },
  { peakWatts: 2700, voltage: 248 },
];
const noLosses = { idle: 0, pvConverter: 0, inverter: 0, batteryConverter: 0, rectifier: 0 };
const still: Flows = { pv: 0, grid: 0, batteryOut: 0, load: 0, batteryIn: 0, losses: noLosses, acCharge: 0 };
const darkness: PvOffer = { milliwatts: 0, powerPointVoltage: 0, openVoltage: 0 };

/** mW the inverter takes for itself with its output on, and with it off. */
const idleOn = 55_000;
const idleOff = 15_000;
/** Heat sink: K over the air for each watt lost, and how slowly it follows. */
const kelvinPerWatt = 0.075;
const heatSeconds = 700;

/**
 * An inverter with its roof, battery, house and grid, as pure arithmetic on its own time. It moves in fixed steps, so
 * its life does not depend on when or how often it is looked at.
 */
export class SimulatedInverter {
  /** What it goes by at the moment. */
  ratings: Ratings;
  /** What a test or a demonstration may turn against it. */
  readonly conditions = { gridAbsent: false, extraLoadWatts: 0, extraDegrees: 0 };
  readonly battery: Battery;
  readonly charger = new Charger();
  readonly grid: Grid;
  readonly meter = new Meter();
  readonly #stepSeconds: number;
  readonly #site: Site;
  readonly #utcOffsetMs: number;
  readonly #strings: readonly PvString[];
  readonly #weather: Weather;
  readonly #household: Household;
  readonly #noise: Random;
  #next: number;
  #onGrid = false;
  #batteryEmpty = false;
  #slowVolts: number;
  #overloadSeconds = 0;
  #faultSeconds = 0;

  mode: Mode = "standby";
  /** Two digits; "00" without a fault. */
  faultCode = "00";
  flows: Flows = still;
  demand: Demand = { milliwatts: 0, milliVoltAmperes: 0 };
  /** By string. */
  offers: readonly PvOffer[] = [];
  /** °C. */
  heatSink = 28;
  /** V and Hz; 0 while the output is off. */
  outputVolts = 0;
  outputHertz = 0;
  energy: EnergyAccount = { pv: 0, grid: 0, batteryOut: 0, load: 0, batteryIn: 0, losses: 0, batteryHeat: 0 };

  constructor(options: InverterOptions) {
    this.ratings = { ...plainRatings, ...options.ratings };
    const volts = this.ratings.ratedBatteryVoltage;
    this.battery = new Battery(options.batteryWh ?? (10_240 * volts) / 48, 0.022, options.soc ?? 0.62, volts);
    this.grid = new Grid(options.seed, options.sheddingRate ?? 0.07);
    this.#stepSeconds = options.stepSeconds ?? 1;
    this.#site = options.site ?? pretoria;
    this.#utcOffsetMs = (options.utcOffsetHours ?? 2) * 3_600_000;
    this.#strings = options.strings ?? roof;
    this.#weather = new Weather(new Random(options.seed, "weather"));
    this.#household = new Household(new Random(options.seed, "household"), options.household);
    this.#noise = new Random(options.seed, "noise");
    this.#next = options.start;
    this.#slowVolts = this.battery.openVoltage;
  }

  /** Lives through every step that begins at or before `epochMs` (UTC); an earlier time changes nothing. */
  advanceTo(epochMs: number): void {
    while (this.#next <= epochMs) {
      this.#step(this.#next);
      this.#next += this.#stepSeconds * 1000;
    }
  }

  /** Local time, ms, as if it were UTC. */
  get localTime(): number {
    return this.#next - this.#stepSeconds * 1000 + this.#utcOffsetMs;
  }

  /** Names of the warnings that stand, as QPIWS calls them. */
  get warnings(): readonly string[] {
    const volts = this.battery.millivolts / 1000;
    const { batteryCutOffVoltage } = this.ratings;
    const standing: readonly (readonly [string, boolean])[] = [
      ["pvLoss", this.offers.every(({ milliwatts }) => milliwatts === 0)],
      ["inverterFault", this.mode === "fault"],
      ["gridFailed", !this.grid.present],
      ["overTemperature", this.heatSink > 95],
      ["batteryLow", volts < batteryCutOffVoltage + 2 * this.#voltageScale],
      ["batteryUnderVoltageShutdown", this.#batteryEmpty],
      ["overload", this.loadRatio > 1.05],
    ];
    return standing.filter(([, on]) => on).map(([name]) => name);
  }

  get #voltageScale(): number {
    return this.ratings.ratedBatteryVoltage / 48;
  }

  /** Load against the rating, by watts or volt-amperes, whichever is more; 1 = 100 %. */
  get loadRatio(): number {
    const { milliwatts, milliVoltAmperes } = this.demand;
    return Math.max(milliwatts / this.ratings.ratedActivePower, milliVoltAmperes / this.ratings.ratedApparentPower) / 1000;
  }

  #step(at: number): void {
    const seconds = this.#stepSeconds;
    const localMs = at + this.#utcOffsetMs;
    const sun = sunAt(this.#site, at);
    this.#weather.step(seconds, sun, this.#site);
    const [direct, diffuse] = clearSky(sun);
    const light = direct * this.#weather.direct + diffuse * (1 + 0.8 * this.#weather.cover);
    this.offers = this.#strings.map((string) => pvOffer(string, light, this.#weather.temperature));
    this.grid.step(seconds, localMs, this.conditions.gridAbsent);
    const wanted = this.#household.step(seconds, (((localMs % 86_400_000) + 86_400_000) % 86_400_000) / 3_600_000);
    const extra = Math.round(this.conditions.extraLoadWatts * 1000);
    this.demand = { milliwatts: wanted.milliwatts + extra, milliVoltAmperes: wanted.milliVoltAmperes + extra };

    this.#chooseMode(seconds);
    this.#flow(seconds, localMs);
    if (this.mode !== "line" && this.mode !== "battery") this.demand = { milliwatts: 0, milliVoltAmperes: 0 };
    this.#settle(seconds);
  }

  #chooseMode(seconds: number): void {
    if (this.mode === "fault") {
      this.#faultSeconds -= seconds;
      if (this.#faultSeconds > 0) return;
      this.faultCode = "00";
    }
    const { ratings } = this;
    const narrow = ratings.inputVoltageRange === "ups";
    const gridUsable = this.grid.present && this.grid.volts > (narrow ? 170 : 90) && this.grid.volts < 280;
    const full =
      ratings.batteryRedischargeVoltage === 0 ? this.charger.stage === "float" : this.#slowVolts >= ratings.batteryRedischargeVoltage;
    if (this.#slowVolts < ratings.batteryRechargeVoltage) this.#onGrid = true;
    else if (full) this.#onGrid = false;
    if (this.#slowVolts > ratings.batteryCutOffVoltage + 3 * this.#voltageScale) this.#batteryEmpty = false;
    const gridFirst = ratings.outputSourcePriority !== "sbu" || this.#onGrid;
    this.mode = gridUsable && (gridFirst || this.#batteryEmpty) ? "line" : this.#batteryEmpty ? "standby" : "battery";

    this.#overloadSeconds = this.mode === "battery" && this.loadRatio > 1.1 ? this.#overloadSeconds + seconds : 0;
    if (this.#overloadSeconds > 10) this.#fail("07");
    else if (this.heatSink > 105) this.#fail("02");
  }

  #fail(code: string): void {
    this.mode = "fault";
    this.faultCode = code;
    this.#faultSeconds = 180;
    this.#overloadSeconds = 0;
  }

  #flow(seconds: number, localMs: number): void {
    const { ratings, battery } = this;
    const chargeLimit = !ratings.charges ? 0 : battery.chargeLimit(this.charger.target(ratings), ratings.maxChargeCurrent, seconds);
    const pvOffer = this.offers.reduce((sum, offer) => sum + offer.milliwatts, 0);
    const on = this.mode === "line" || this.mode === "battery";
    const priority = ratings.chargerSourcePriority;
    const acAllowed = priority === "utilityFirst" || priority === "solarAndUtility" || (priority === "solarFirst" && pvOffer < 50_000);
    const demand: FlowDemand = {
      mode: this.mode === "fault" ? "standby" : this.mode,
      load: on ? this.demand.milliwatts : 0,
      idle: on ? idleOn : idleOff,
      pvOffer: this.mode === "fault" ? 0 : pvOffer,
      pvToLoad:
        ratings.outputSourcePriority === "utilityFirst" ? "never" : ratings.outputSourcePriority === "solarFirst" ? "first" : "surplus",
      pvCharges: !(priority === "utilityFirst" && this.mode === "line"),
      chargeLimit,
      dischargeLimit: !ratings.discharges ? 0 : battery.dischargeLimit(ratings.batteryCutOffVoltage, seconds),
      acChargeLimit: acAllowed ? Math.floor(battery.millivolts * Math.min(ratings.maxAcChargeCurrent, ratings.maxChargeCurrent)) : 0,
    };
    this.flows = shareOut(demand) ?? this.#goEmpty(demand);
    const heat = battery.step(this.flows.batteryOut - this.flows.batteryIn, seconds);
    this.#account(heat, seconds);
    this.meter.count(localMs, seconds, this.flows);
    const volts = battery.millivolts / 1000;
    const slowness = Math.exp(-seconds / 120);
    this.#slowVolts = this.#slowVolts * slowness + volts * (1 - slowness);
    // The battery itself, not the current limit and not a lack of power, kept the current down; a watt of slack for rounding.
    const limited = chargeLimit < 0.97 * ratings.maxChargeCurrent * battery.millivolts && this.flows.batteryIn >= chargeLimit - 1000;
    const amperes = Math.max(0, -battery.milliamperes / 1000);
    this.charger.step(seconds, ratings, { slowVolts: this.#slowVolts, amperes, limited });
  }

  /** The battery cannot carry the load: over to the grid, or off; at the very end even its own consumption stops. */
  #goEmpty(demand: FlowDemand): Flows {
    this.#batteryEmpty = this.ratings.discharges;
    if (this.mode === "battery" && this.grid.present) {
      this.mode = "line";
      const flows = shareOut({ ...demand, mode: "line" });
      if (flows !== undefined) return flows;
    }
    if (this.mode !== "fault") this.mode = "standby";
    return shareOut({ ...demand, mode: "standby", load: 0, idle: idleOff }) ?? still;
  }

  #account(batteryHeat: number, seconds: number): void {
    const { flows, energy } = this;
    const losses = Object.values(flows.losses).reduce((sum, loss) => sum + loss, 0);
    this.energy = {
      pv: energy.pv + flows.pv * seconds,
      grid: energy.grid + flows.grid * seconds,
      batteryOut: energy.batteryOut + flows.batteryOut * seconds,
      load: energy.load + flows.load * seconds,
      batteryIn: energy.batteryIn + flows.batteryIn * seconds,
      losses: energy.losses + losses * seconds,
      batteryHeat: energy.batteryHeat + batteryHeat * seconds,
    };
  }

  #settle(seconds: number): void {
    const { flows } = this;
    const lostWatts = Object.values(flows.losses).reduce((sum, loss) => sum + loss, 0) / 1000;
    const goal = this.#weather.temperature + 6 + kelvinPerWatt * lostWatts + this.conditions.extraDegrees;
    this.heatSink = goal + (this.heatSink - goal) * Math.exp(-seconds / heatSeconds);
    const wobble = this.#noise.normal();
    if (this.mode === "line") {
      this.outputVolts = this.grid.volts;
      this.outputHertz = this.grid.hertz;
    } else if (this.mode === "battery") {
      this.outputVolts = this.ratings.ratedOutputVoltage + 0.15 * wobble - 0.4 * Math.min(1, this.loadRatio);
      this.outputHertz = this.ratings.ratedOutputFrequency + 0.012 * wobble;
    } else {
      this.outputVolts = 0;
      this.outputHertz = 0;
    }
  }

  /** The string's share of the power drawn from the roof, mW, whole; the shares add up to the flow. */
  stringPower(index: number): number {
    const total = this.offers.reduce((sum, offer) => sum + offer.milliwatts, 0);
    if (total === 0) return 0;
    const before = this.offers.slice(0, index).reduce((sum, offer) => sum + offer.milliwatts, 0);
    const upTo = before + (this.offers[index] ?? darkness).milliwatts;
    // Products of two powers in mW can pass 2^53; the rounding they would bring stays below one string's share.
    const cut = (part: number): number => Math.round((part / total) * this.flows.pv);
    return cut(upTo) - cut(before);
  }
}
