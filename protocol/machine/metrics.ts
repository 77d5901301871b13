// Measurements of a replica's machine, by Prometheus name, each with one line for people. Those
// that end in _total only grow while the process runs.

export const PROCESSING_METRICS = {
  troca_has_coordinator: '1 where a live coordinator is known.',
  troca_is_coordinator: '1 where this replica is the coordinator.',
  troca_term: 'The newest term known.',
  troca_applied_index: 'Entries of the committed log that are applied here.',
  troca_applied_lag_entries: 'Committed entries of the home that are not applied here.',
  troca_snapshot_index: 'Entries of the log that the last snapshot holds; 0: there is none.',
  troca_elections_total: 'Elections that this replica has begun.',
  troca_orders_total: 'Orders given as coordinator.',
  troca_commands_total: 'Commands in those orders.',
  troca_orders_one_of_one_total: 'Orders decided by a single vote, where there are more replicas.',
  troca_divergences_total: 'Attempts at an order without a majority of equal votes.',
  troca_orders_in_flight: 'Orders given and not yet committed.',
  troca_commands_queued: 'Commands that wait for a place in an order.',
  troca_commands_queued_bytes: 'Bytes of the commands that wait for a place in an order.',
  troca_requests_pending: 'Commands of own clients that wait for their committed entry.',
  troca_accounts: 'Accounts in the state.',
  troca_retention_expired_total: 'Messages erased by retention, in orders that this replica gave.',
  troca_streams: 'Streams that are open.',
  troca_stream_answer_bytes: 'Bytes of the answers that are kept for repeated sends.',
  troca_ended_streams_users: 'Users whose last ended streams are remembered.',
  troca_idle_streams_ended_total:
    'Streams that this replica has had ended, as coordinator, as idle.',
  troca_names_ended: 'Names of deleted accounts, which stay taken.',
  troca_invitations: 'Invitations that are open, or used and not expired.',
  troca_block_lists: 'Block lists that name somebody.',
  troca_retention_wishes: 'Users who want their messages kept for less than for ever.',
  troca_mailboxes_expired: 'Mailboxes of which messages have expired.',
  troca_marks: 'Users whose marks are known.',
  troca_sends_kept: 'Sends whose receipts can be listed, of all users.',
  troca_mailbox_messages: 'Messages stored and not deleted, in all mailboxes.',
  troca_overlay_values: 'Values that orders ahead of the committed log have written.',
  troca_orders_held: 'Orders that wait for the log, or are executed and not committed.',
  troca_snapshot_changes: 'Records that the next snapshot will write.',
  troca_rates_kept: 'Users and addresses whose rate is counted.',
  troca_login_failures_kept: 'Accounts and addresses with wrong passwords that are counted.',
  troca_log_waiters: 'Requests that wait for the log to be applied further.',
  troca_ring_live: 'Processing replicas linked, this one included.',
  troca_clock_lead_seconds: 'By how much the own wall clock is ahead of a majority of the ring.',
  troca_sessions: 'Connections of clients, logged in or not.',
  troca_listeners: 'Clients that get pushes.',
} as const

export const PERSISTENCE_METRICS = {
  troca_log_last_index: 'Entries in the log.',
  troca_log_memory_bytes: 'Bytes of the end of the log that is kept in memory.',
  troca_log_durable_index: 'Entries on the own disk.',
  troca_log_commit_index: 'Entries known to be committed.',
  troca_log_lag_entries: 'Committed entries of another replica that are not committed here.',
  troca_lamport_clock: 'The Lamport clock.',
  troca_newest_term: 'The newest term in the log.',
  troca_view_epoch: 'Counter of the epoch that is installed.',
  troca_view_members: 'Members of the view that is installed.',
  troca_view_normal: '1 where this replica is a member of an active view.',
  troca_view_changes_total: 'Views installed here.',
  troca_view_proposals_total: 'Views that this replica has proposed.',
  troca_turn_holding: '1 where this replica holds the turn.',
  troca_writers_waiting: 'Orders and claims that wait for the turn.',
  troca_writers_unanswered: 'Orders and claims that are appended and not yet committed.',
  troca_peers_reached: 'Persistence replicas reached, this one included.',
  troca_feed_followers: 'Processing replicas that follow the log here.',
} as const

/** Histograms of seconds. */
export const PROCESSING_DURATIONS = {
  troca_order_commit_seconds: 'From giving an order to its commit, as coordinator.',
} as const

export const PERSISTENCE_DURATIONS = {
  troca_turn_wait_seconds: 'From asking for the turn to holding it.',
} as const

export type ProcessingMetrics = Record<keyof typeof PROCESSING_METRICS, number>
export type PersistenceMetrics = Record<keyof typeof PERSISTENCE_METRICS, number>
