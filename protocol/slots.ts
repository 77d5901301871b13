// How replicas are numbered and which tier they are of.

/** 1 ... N within a tier. */
export type Slot = number

export type Tier = 'processing' | 'persistence'
