// Where a client comes from, as far as it can be held to account: its address without the port. Of
// IPv6 the first 64 bits, as whoever has one such address has all of them (RFC 6177).

/** Of a host as sockets name it. */
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
