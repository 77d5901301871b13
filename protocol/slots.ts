// The numbers of replicas and the two tiers.

/** Number of a replica within its tier, 1 ... N. */
export type Slot = number

export type Tier = 'processing' | 'persistence'
