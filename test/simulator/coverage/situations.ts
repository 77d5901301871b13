// Situations in which a protocol must be right and that no single message or status shows.

export const SITUATIONS = [
  // Situations of a run.
  'a core serves alone',
  'a replica halts',
  'a damaged file is set aside',
  // Situations of views and turns.
  'INSTALL interrupted by a higher promise',
  'INSTALL resumed after a restart is ignored',
  'INSTALL comes twice',
  'PREPARE comes twice',
  'the holder leaves its view with entries in flight',
  'a view drops entries',
  'REQUEST overtakes INSTALL',
  'REPLY comes late',
  'ACK comes late',
  'REPLICATE comes again',
  'a member is behind the holder',
  'catch-up takes several PULLED',
  'catch-up is served from the file',
  'the feed is served from the file',
  'a place in common is looked for in the file',
  // Situations of files and their incarnations.
  'a learner is taken in',
  'a superseded incarnation promises',
  'a learner promises',
  'a full disk has room again',
  'a restarted replica is taken in',
  // Situations of terms and orders.
  'FENCED answers one of several pending appends',
  'a batch of several kinds',
  'a batch is pulled with some of its bodies',
  'an order repeated after a view change',
  'a claim repeated after a view change',
  'a claim is said again',
  'an append is said again',
  'an order is tried a second time',
  'an order is tried a third time',
  'a replica decides alone',
  'a coordinator is asked to resign',
  'a claim after fruitless rounds of the ring',
  'a coordinator without persistence stops',
  'a repeated send gets its receipt again',
  // Situations of closed streams and the sizes of mailboxes.
  'CLOSE_STREAM is answered again',
  'an executed send is repeated after the end of its stream',
  'USAGE of a mailbox with deleted messages',
] as const
