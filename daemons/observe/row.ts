// The form of a metric's row: its help, its labels, and how its samples are read.

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Row<Sources> {
  readonly help: string
  readonly type: 'gauge' | 'counter'
  readonly labels?: readonly string[]
  readonly read: (sources: Sources) => readonly Sample[] | Promise<readonly Sample[]>
}

export const one = (value: number): Sample[] => [{ labels: {}, value }]
