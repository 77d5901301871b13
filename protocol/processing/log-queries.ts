// TIP and READ: linearizable questions to the persistence tier. Any store may answer; one that cannot
// tell just now, or is lost, is followed by the next.

import type { Slot } from '../slots.js'
import type { The } from '../messages/catalogue.js'
import type { RingStanding } from './context.js'

type Asking = The<'READ'> | The<'TIP'>
type Answer = The<'READ_PAGE'> | The<'TIP_IS'>

interface Question {
  readonly message: Asking
  readonly since: number
  /** 0: nobody yet. */
  asked: Slot
  readonly then: (answer: Answer | null) => void
}

export interface QuestionsPort {
  /** Stores that can be asked, the preferred one first. */
  askable(): readonly Slot[]
  /** Whether any can tell, sooner or later. */
  quorate(): boolean
  ask(slot: Slot, message: Asking): void
}

export class Questions {
  readonly #s: RingStanding
  readonly #port: QuestionsPort
  readonly #open = new Map<number, Question>()
  #next = 0

  constructor(standing: RingStanding, port: QuestionsPort) {
    this.#s = standing
    this.#port = port
  }

  /** An index that everything acknowledged before now is at or below; null: cannot be told. */
  tip(then: (index: number | null) => void): void {
    const request = ++this.#next
    this.#add({ type: 'TIP', request }, (answer) =>
      then(answer?.type === 'TIP_IS' ? answer.index : null),
    )
  }

  /** A page of a mailbox; null: cannot be told. */
  read(
    mailbox: string,
    after: number,
    limit: number,
    then: (page: The<'READ_PAGE'> | null) => void,
  ): void {
    const request = ++this.#next
    this.#add({ type: 'READ', request, mailbox, after, limit }, (answer) =>
      then(answer?.type === 'READ_PAGE' ? answer : null),
    )
  }

  #add(message: Asking, then: Question['then']): void {
    const question: Question = { message, since: this.#s.now.monotonic, asked: 0, then }
    this.#open.set(message.request, question)
    this.#put(question)
  }

  /** To the preferred store, or if that has just failed to answer, to the next one. */
  #put(question: Question): void {
    const order = this.#port.askable()
    const slot = order.find((candidate) => candidate !== question.asked) ?? order[0]
    question.asked = slot ?? 0
    if (slot !== undefined) this.#port.ask(slot, question.message)
  }

  answered(answer: Answer): void {
    const question = this.#open.get(answer.request)
    this.#open.delete(answer.request)
    question?.then(answer)
  }

  notYet(request: number): void {
    const question = this.#open.get(request)
    if (question) this.#put(question)
  }

  lost(slot: Slot): void {
    for (const question of this.#open.values()) if (question.asked === slot) this.#put(question)
  }

  tick(): void {
    const { now, timings } = this.#s
    // Where nobody can tell, who asks is to try elsewhere; a view change takes its time.
    const patience = (this.#port.quorate() ? 4 : 1) * timings.readPatience
    for (const [request, question] of this.#open) {
      // There was nobody to ask.
      if (question.asked === 0) this.#put(question)
      if (now.monotonic - question.since <= patience) continue
      this.#open.delete(request)
      question.then(null)
    }
  }
}
