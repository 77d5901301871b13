// The attacks on a cluster, run one by one or all at once. An attack goes on until it is told to
// stop, and reopens connections that the cluster has ended.

import type { Message } from '../../protocol/messages/catalogue.js'
import { errorName } from '../../protocol/errors.js'
import { Stranger, openBare, type Target } from './stranger.js'

export interface Scene {
  readonly ports: readonly number[]
  /** Share of an attack's full size; 1 is all of it. */
  readonly scale: number
  /** The account that is attacked; `own` is an account whose password the attackers know. */
  readonly victim: string
  readonly own: { readonly name: string; readonly password: string }
  readonly stopped: AbortSignal
}

/** Counts of an attack: accepted connections, and answers by kind. */
export type Outcome = Map<string, number>
export type Attack = (scene: Scene, outcome: Outcome) => Promise<void>

const DRIP_MS = 1_000
const SLOWLORIS = 500
const CONNECTIONS = 5_000
/** Addresses of `connections`, so that none exceeds its limit. */
const ADDRESSES = 25
const HALF_OPEN = 300
const DEAF = 60
const GUESSERS = 120
const REGISTRARS = 60
/** Connections opened at a time. */
const OPENING = 48

function count(outcome: Outcome, what: string): void {
  outcome.set(what, (outcome.get(what) ?? 0) + 1)
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

function targetOf({ ports, stopped }: Scene, i: number, from = '127.0.66.1'): Target {
  return { port: ports[i % ports.length]!, from, stopped }
}

const sized = ({ scale }: Scene, full: number): number => Math.max(2, Math.round(full * scale))

function told(outcome: Outcome): (message: Message) => void {
  return (message) => {
    if (message.type === 'ERROR') count(outcome, errorName(message.code) ?? 'ERROR')
    else count(outcome, message.type)
  }
}

/** Runs `act` over and over, `size` times in parallel. */
async function crowd(scene: Scene, size: number, act: (i: number) => Promise<void>): Promise<void> {
  const one = async (i: number): Promise<void> => {
    while (!scene.stopped.aborted) {
      await act(i)
      // A retry in the same turn of the event loop would only load this process.
      await pause(20)
    }
  }
  await Promise.all(Array.from({ length: size }, (_, i) => one(i)))
}

function untilGone(stranger: Stranger, { stopped }: Scene): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      stopped.removeEventListener('abort', over)
      stranger.destroy()
      resolve()
    }
    if (stranger.gone || stopped.aborted) return over()
    stranger.socket.once('close', over)
    stopped.addEventListener('abort', over)
  })
}

/** Slow connections: a third never completes TLS, the others never complete a frame. */
const slowloris: Attack = (scene, outcome) =>
  crowd(scene, sized(scene, SLOWLORIS), async (i) => {
    const target = targetOf(scene, i)
    const bare = i % 3 === 0
    const stranger = bare ? null : await Stranger.open(target, told(outcome))
    if (!bare && !stranger) return
    const socket = stranger?.socket ?? openBare(target)
    // The start of a TLS record, or of a frame of 256 bytes.
    socket.write(Buffer.from(bare ? '160301010001' : '00000100', 'hex'))
    count(outcome, 'begun')
    const drip = setInterval(() => socket.write(Uint8Array.of(1)), DRIP_MS)
    const stop = (): void => void socket.destroy()
    scene.stopped.addEventListener('abort', stop)
    // Both may have happened while the connection was made.
    if (scene.stopped.aborted) stop()
    if (!socket.closed) await new Promise<void>((resolve) => socket.once('close', () => resolve()))
    scene.stopped.removeEventListener('abort', stop)
    clearInterval(drip)
    count(outcome, 'ended')
  })

/** As many connections as possible, each with just enough requests to stay open. */
const connections: Attack = async (scene, outcome) => {
  const all = new Set<Stranger>()
  const wanted = sized(scene, CONNECTIONS)
  let begun = 0
  const opener = async (): Promise<void> => {
    while (begun < wanted && !scene.stopped.aborted) {
      const i = begun++
      const from = `127.0.67.${1 + (i % ADDRESSES)}`
      const stranger = await Stranger.open(targetOf(scene, i, from), told(outcome))
      count(outcome, stranger ? 'connected' : 'not let in')
      if (stranger) all.add(stranger)
    }
  }
  const alive = setInterval(() => {
    for (const stranger of all) {
      if (stranger.gone) all.delete(stranger)
      else stranger.say({ type: 'STATUS', request: stranger.nextRequest() })
    }
  }, 5_000)
  await Promise.all(Array.from({ length: OPENING }, opener))
  await untilStopped(scene)
  clearInterval(alive)
  outcome.set('there at the end', [...all].filter(({ gone }) => !gone).length)
  for (const stranger of all) stranger.destroy()
}

function untilStopped({ stopped }: Scene): Promise<void> {
  if (stopped.aborted) return Promise.resolve()
  return new Promise((resolve) => stopped.addEventListener('abort', () => resolve()))
}

/** Half-open connections: after WELCOME nothing is read or sent, as if the network were cut. */
const halfOpen: Attack = (scene, outcome) =>
  crowd(scene, sized(scene, HALF_OPEN), async (i) => {
    const stranger = await Stranger.open(targetOf(scene, i), told(outcome))
    if (!stranger) return
    count(outcome, 'connected')
    stranger.socket.pause()
    await untilStopped(scene)
    stranger.destroy()
  })

/** Clients that send requests without reading the answers. */
const deaf: Attack = (scene, outcome) =>
  crowd(scene, sized(scene, DEAF), async (i) => {
    let loggedIn = (): void => {}
    const logged = new Promise<void>((resolve) => (loggedIn = resolve))
    const heard = told(outcome)
    const stranger = await Stranger.open(targetOf(scene, i), (message) => {
      heard(message)
      loggedIn()
    })
    if (!stranger) return
    stranger.say({ type: 'LOGIN', request: stranger.nextRequest(), ...scene.own })
    await Promise.race([logged, untilGone(stranger, scene)])
    if (stranger.gone) return
    stranger.socket.pause()
    count(outcome, 'deaf')
    const page = (): void => {
      // Frames that the kernel does not accept pile up here, as with any client.
      if (stranger.socket.writableNeedDrain) return
      for (let n = 0; n < 50; n++) {
        const request = stranger.nextRequest()
        stranger.say({ type: 'INBOX', request, after: 0, limit: 128, sealed: true, since: null })
        stranger.say({ type: 'STATUS', request: stranger.nextRequest() })
      }
    }
    const asking = setInterval(page, 50)
    await untilGone(stranger, scene)
    clearInterval(asking)
  })

/** Wrong passwords for an existing account and for unknown names, as fast as they are answered. */
const guesses: Attack = (scene, outcome) =>
  crowd(scene, sized(scene, GUESSERS), async (i) => {
    const heard = told(outcome)
    const guess = (stranger: Stranger): void => {
      const request = stranger.nextRequest()
      const name = i % 2 === 0 ? scene.victim : `nobody${i}`
      stranger.say({ type: 'LOGIN', request, name, password: `guess ${request}` })
    }
    const from = `127.0.68.${1 + (i % 8)}`
    const stranger = await Stranger.open(targetOf(scene, i, from), (message, self) => {
      heard(message)
      // The attacker ignores `retryAfter`.
      setTimeout(() => guess(self), 5)
    })
    if (!stranger) return
    for (let n = 0; n < 4; n++) guess(stranger)
    await untilGone(stranger, scene)
  })

const registrations: Attack = (scene, outcome) =>
  crowd(scene, sized(scene, REGISTRARS), async (i) => {
    const heard = told(outcome)
    const run = Math.random().toString(36).slice(2, 8)
    const ask = (stranger: Stranger): void => {
      const request = stranger.nextRequest()
      const name = `bot-${run}-${i}-${request}`
      const token = new Uint8Array(16).fill(i)
      stranger.say({
        type: 'REGISTER',
        request,
        name,
        password: 'of a flood',
        token,
        keys: null,
        invitation: null,
      })
    }
    const from = `127.0.69.${1 + (i % 4)}`
    const stranger = await Stranger.open(targetOf(scene, i, from), (message, self) => {
      if (message.type === 'PROGRESS') return
      heard(message)
      setTimeout(() => ask(self), 5)
    })
    if (!stranger) return
    ask(stranger)
    await untilGone(stranger, scene)
  })

export const ATTACKS = {
  slowloris: slowloris,
  connections: connections,
  'half-open': halfOpen,
  'never reads': deaf,
  'log-ins': guesses,
  registrations: registrations,
} as const satisfies Record<string, Attack>

export type AttackName = keyof typeof ATTACKS
