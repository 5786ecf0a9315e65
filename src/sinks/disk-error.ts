const reasons: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the disk is read-only",
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  EIO: "the disk reports an error",
  ENOTDIR: "a part of the path is not a folder",
  ENOENT: "the folder is missing",
  EISDIR: "a folder has the file's name",
  EMFILE: "too many files are open",
};

/** Why a file could not be written, in plain words and with the system's own. */
export function describeDiskError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const reason = "code" in error && typeof error.code === "string" ? reasons[error.code] : undefined;
  return reason === undefined ? error.message : `${reason} (${error.message})`;
}
