/** Node releases that Millrace runs on, as package.json's `engines` says. */
const NODE_MIN = [20, 19]

/**
 * One sentence when this machine cannot run Millrace, else null. Asked before anything is installed:
 * the column store alone is a download of more than 100 MB.
 * @param {{ node: string, platform: string, arch: string, glibc: string | undefined }} machine
 * @returns {string | null}
 */
export const unserved = ({ node, platform, arch, glibc }) => {
  if (olderThan(node, NODE_MIN)) return `Millrace needs Node.js ${NODE_MIN.join('.')} or newer, and this is ${node}: install a newer one from https://nodejs.org.`
  const served = ['x64', 'arm64'].includes(arch) && (platform === 'darwin' || (platform === 'linux' && glibc !== undefined))
  if (served) return null
  const here = platform === 'linux' && glibc === undefined ? `Linux on ${arch} without glibc` : `${platform} on ${arch}`
  return `Millrace's column store chDB exists for Linux with glibc and for macOS, on x64 and arm64, and this is ${here}: use such a machine or a container (on Windows: WSL 2).`
}

/** The machine that runs this process. */
export const thisMachine = () => ({
  node: process.versions.node,
  platform: process.platform,
  arch: process.arch,
  glibc: process.platform === 'linux' ? process.report.getReport().header.glibcVersionRuntime : undefined,
})

const olderThan = (version, [major, minor]) => {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map(Number)
  return ownMajor < major || (ownMajor === major && ownMinor < minor)
}
