// Help as an answer: `troca`, and a group such as `troca keys`, name no command to carry out.

/** The message of demandCommand() where none is named. */
export const NO_COMMAND = 'a command is needed'

/** `message` is the help. */
export class HelpWanted extends Error {}

/** What yargs hands to the function of fail(); its types say otherwise. */
export interface Usage {
  help(): string
}
