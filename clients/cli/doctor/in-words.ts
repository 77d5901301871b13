// Sizes as the doctor tells them.

export const inWords = (bytes: number): string => {
  const gib = bytes / 1024 ** 3
  if (gib >= 1) return `${gib.toFixed(1)} GiB`
  const mib = bytes / 1024 ** 2
  return mib >= 10 || bytes === 0 ? `${Math.round(mib)} MiB` : `${mib.toFixed(1)} MiB`
}
