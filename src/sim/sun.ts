import { type Random, Wander } from "./random.ts";

/** Where the roof is and how it lies. */
export interface Site {
  /** Degrees, north positive. */
  readonly latitude: number;
  /** Degrees, east positive. */
  readonly longitude: number;
  /** Degrees from the horizontal; the roof looks to the equator. */
  readonly tilt: number;
}

export const pretoria: Site = { latitude: -25.7, longitude: 28.2, tilt: 26 };

const radians = Math.PI / 180;
const dayMs = 86_400_000;

export interface SunPosition {
  /** Hours of true solar time, 12 at noon. */
  readonly solarHour: number;
  /** Angle over the year in radians, 0 on 1 January. */
  readonly season: number;
  /** Sine of the sun's height over the horizon; negative at night. */
  readonly height: number;
  /** Cosine of the angle between the sun and the roof's normal; 0 when it shines from behind. */
  readonly onRoof: number;
}

/** The sun over a site at a UTC epoch in ms, to about half a degree. */
export function sunAt(site: Site, epochMs: number): SunPosition {
  const year = new Date(epochMs).getUTCFullYear();
  const day = (epochMs - Date.UTC(year, 0, 1)) / dayMs;
  const season = (2 * Math.PI * day) / 365.25;
  const declination = -23.44 * radians * Math.cos(season + (2 * Math.PI * 10) / 365.25);
  const angle = (2 * Math.PI * (day - 81)) / 365.25;
  const equationOfTimeMinutes = 9.87 * Math.sin(2 * angle) - 7.53 * Math.cos(angle) - 1.5 * Math.sin(angle);
  const utcHours = (((epochMs % dayMs) + dayMs) % dayMs) / 3_600_000;
  const solarHour = (utcHours + site.longitude / 15 + equationOfTimeMinutes / 60 + 48) % 24;
  const hourAngle = (solarHour - 12) * 15 * radians;
  const latitude = site.latitude * radians;
  // A roof tilted toward the equator sees the sun as a flat one would at a latitude nearer to it.
  const roofLatitude = latitude - Math.sign(latitude) * site.tilt * radians;
  const along = Math.cos(declination) * Math.cos(hourAngle);
  return {
    solarHour,
    season,
    height: Math.sin(latitude) * Math.sin(declination) + Math.cos(latitude) * along,
    onRoof: Math.max(0, Math.sin(roofLatitude) * Math.sin(declination) + Math.cos(roofLatitude) * along),
  };
}

/** Light on the roof under a clear sky as [direct, diffuse], W/m². */
export function clearSky({ height, onRoof }: SunPosition): readonly [direct: number, diffuse: number] {
  if (height <= 0) return [0, 0];
  const airMass = 1 / (height + 0.50572 * (Math.asin(height) / radians + 6.07995) ** -1.6364);
  const beam = 1361 * 0.7 ** (airMass ** 0.678);
  return [beam * onRoof, 0.1 * beam * Math.sqrt(height) + 12 * Math.min(1, height * 8)];
}

/**
 * Weather as two slow chance processes: how grey the sky is, which turns over in a day, and single clouds that pass in
 * minutes and matter most when the sky is half covered.
 */
export class Weather {
  readonly #greyness: Wander;
  readonly #passing: Wander;
  readonly #warmth: Wander;
  /** 0 clear to 1 overcast. */
  cover = 0;
  /** Share of direct light that comes through, 0 to 1. */
  direct = 1;
  /** Air temperature, °C. */
  temperature = 20;

  constructor(random: Random) {
    this.#greyness = new Wander(random, 14 * 3600);
    this.#passing = new Wander(random, 240);
    this.#warmth = new Wander(random, 36 * 3600);
  }

  step(seconds: number, sun: SunPosition, site: Site): void {
    const greyness = this.#greyness.step(seconds);
    const passing = this.#passing.step(seconds);
    this.cover = logistic(1.7 * greyness - 1.1);
    // A cloud stands before the sun when the passing process falls below what the cover leaves free.
    const shade = logistic(7 * (passing + 3.4 * (this.cover - 0.5)));
    this.direct = (1 - 0.82 * shade) * (1 - 0.55 * this.cover * this.cover);
    const summer = Math.cos(sun.season) * (site.latitude < 0 ? 1 : -1);
    const afternoon = Math.cos(((sun.solarHour - 14.5) * 2 * Math.PI) / 24);
    this.temperature = 18.5 + 5.5 * summer + (6.5 - 3 * this.cover) * afternoon + 2.2 * this.#warmth.step(seconds);
  }
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
