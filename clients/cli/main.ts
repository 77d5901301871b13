#!/usr/bin/env node
// troca: one file per command in commands/. Results on stdout, the rest on stderr.
// Exit codes: 0 ok, 1 refused or failed, 2 usage, 3 unreachable or no quorum, 4 authentication,
// 5 timed out.

import yargs from 'yargs'
import { hideBin } from 'yargs/helpers'
import { account } from './commands/account.js'
import { backup } from './commands/backup.js'
import { bench } from './commands/bench.js'
import { block } from './commands/block.js'
import { bundle } from './commands/bundle.js'
import { deleteCommand } from './commands/delete.js'
import { doctor } from './commands/doctor.js'
import { down } from './commands/down.js'
import { inbox } from './commands/inbox.js'
import { init } from './commands/init.js'
import { invite } from './commands/invite.js'
import { join } from './commands/join.js'
import { keys } from './commands/keys.js'
import { listen } from './commands/listen.js'
import { logLevel } from './commands/log-level.js'
import { login } from './commands/login.js'
import { logout } from './commands/logout.js'
import { open } from './commands/open.js'
import { passwd } from './commands/passwd.js'
import { receipts } from './commands/receipts.js'
import { recover } from './commands/recover.js'
import { register } from './commands/register.js'
import { replace } from './commands/replace.js'
import { resign } from './commands/resign.js'
import { restart } from './commands/restart.js'
import { restore } from './commands/restore.js'
import { rsa } from './commands/rsa.js'
import { runReplica } from './commands/run.js'
import { send } from './commands/send.js'
import { service } from './commands/service.js'
import { status } from './commands/status.js'
import { up } from './commands/up.js'
import { use } from './commands/use.js'
import { verify } from './commands/verify.js'
import { whoami } from './commands/whoami.js'
import { wantsJson } from './context.js'
import { EXIT, Failure, explain, report } from './failure.js'
import { HelpWanted, NO_COMMAND, type Usage } from './help.js'
import { onClosedOutput, result } from './output.js'
import { packageVersion } from './programs.js'

const args = hideBin(process.argv)
const json = args.includes('--json') || wantsJson()

// The reader of a result that is written at once (head, a pager) may close stdout before its end.
onClosedOutput(() => process.exit(EXIT.ok))

/** Arguments that may have several values. */
const LISTS = new Set(['_', '--', 'text', 'index', 'from', 'host'])

const parser = yargs(args)
  .scriptName('troca')
  .usage('$0 <command>')
  .version(packageVersion())
  .parserConfiguration({
    'populate--': true,
    'parse-numbers': false,
    'parse-positional-numbers': false,
  })
  .option('dir', { type: 'string', global: true, describe: 'the cluster (.troca; TROCA_DIR)' })
  .option('as', { type: 'string', global: true, describe: 'act as this user (TROCA_USER)' })
  .option('json', { type: 'boolean', global: true, describe: 'one JSON object, or one a line' })
  .option('timeout', { type: 'number', global: true, describe: 'seconds (10; TROCA_TIMEOUT)' })
  .option('password-file', { type: 'string', global: true, describe: 'its first line is read' })
  .command(init)
  .command(up)
  .command(down)
  .command(status)
  .command(doctor)
  .command(verify)
  .command(bundle)
  .command(join)
  .command(runReplica)
  .command(service)
  .command(backup)
  .command(restore)
  .command(recover)
  .command(replace)
  .command(restart)
  .command(logLevel)
  .command(resign)
  .command(register)
  .command(login)
  .command(use)
  .command(whoami)
  .command(logout)
  .command(passwd)
  .command(invite)
  .command(block)
  .command(account)
  .command(keys)
  .command(send)
  .command(inbox)
  .command(listen)
  .command(receipts)
  .command(deleteCommand)
  .command(open)
  .command(bench)
  .command(rsa)
  .completion('completion', 'print a script for shell completion')
  .middleware((argv: Record<string, unknown>) => {
    for (const [flag, value] of Object.entries(argv)) {
      if (!Array.isArray(value) || LISTS.has(flag)) continue
      throw new Failure(EXIT.usage, `--${flag} is given ${value.length} times; once is enough`)
    }
  })
  .demandCommand(1, 1, NO_COMMAND, undefined)
  .strict()
  .recommendCommands()
  .alias({ h: 'help', v: 'version' })
  .fail((message: string | null, error: Error | undefined, usage: unknown) => {
    if (message === NO_COMMAND) throw new HelpWanted((usage as Usage).help())
    // yargs gives an `error` for a command's own failure, and only a message for wrong usage.
    throw error ?? new Failure(EXIT.usage, `${message ?? 'wrong usage'}. troca --help`)
  })

try {
  await parser.parseAsync()
} catch (error) {
  if (error instanceof HelpWanted) result(error.message)
  else process.exitCode = report(await explain(error, null, 'no', 0), json)
}
