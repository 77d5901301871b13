// Hosts as people and programs write them: names, IPv4, and IPv6 with or without brackets.

/** A host without the brackets that IPv6 has before a port. */
export function bareHost(text: string): string {
  return /^\[(.*)\]$/.exec(text)?.[1] ?? text
}

/** `10.0.0.1:7401`, `[::1]:7401`. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/

export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host)
}

/** A host to listen on that stands for every address of the machine. */
export function isEveryAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}
