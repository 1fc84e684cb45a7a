/** `120 KiB`, `812 MiB`, `3.4 GiB`: rounded up, so that what is said to be enough is enough. */
export function formatBytes(bytes: number): string {
  const kibibytes = Math.ceil(bytes / 1024);
  if (kibibytes < 1024) return `${kibibytes} KiB`;
  const mebibytes = Math.ceil(kibibytes / 1024);
  return mebibytes < 1024 ? `${mebibytes} MiB` : `${(Math.ceil(mebibytes / 102.4) / 10).toFixed(1)} GiB`;
}
