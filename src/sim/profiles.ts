import type { Profile } from "./profile.ts";
import { maxProfiles } from "./profiles/max.ts";
import { mks2Profiles } from "./profiles/mks2.ts";
import { olderProfiles } from "./profiles/older.ts";
import { rebrandProfiles } from "./profiles/rebrands.ts";
import { vmProfiles } from "./profiles/vm.ts";

/** Every make and firmware that can be imitated. */
export const profiles: readonly Profile[] = [...maxProfiles, ...mks2Profiles, ...vmProfiles, ...olderProfiles, ...rebrandProfiles];

/** What `--model` takes. */
export const modelNames = profiles.map(({ name }) => name) as [string, ...string[]];

/** Throws RangeError for a name that none has. */
export function findProfile(name: string): Profile {
  const found = profiles.find((profile) => profile.name === name);
  if (found === undefined) throw new RangeError(`model: expected one of ${modelNames.join(", ")}, got ${JSON.stringify(name)}`);
  return found;
}
