// The accountable part of a client's address: the address without the port. For IPv6 it is the
// first 64 bits, since the owner of one address there has all of them (RFC 6177).

/** `host` as sockets write it. */
export function originOf(host: string): string {
  const ipv4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host)
  if (ipv4) return ipv4[1]!
  if (!host.includes(':')) return host
  const [head = '', tail] = host.replace(/%.*$/, '').toLowerCase().split('::')
  const groups = head.split(':').filter((group) => group !== '')
  if (tail !== undefined) {
    const last = tail.split(':').filter((group) => group !== '')
    while (groups.length + last.length < 8) groups.push('0')
    groups.push(...last)
  }
  const network = groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''))
  return `${network.join(':')}::/64`
}
