-- name: add_replay
-- Start a job, leased to who makes it where a worker is named.
INSERT INTO replays (connection, kind, destination, wanted, namespace, state, total, place, until, most, who, created_at, changed_at, worker, leased_until)
VALUES (:connection, :kind, :destination, :wanted, :namespace, 'running', :total, :place, :until, :most, :who, clock(), clock(),
  :worker, CASE WHEN :worker IS NULL THEN 0 ELSE clock() + :seconds END)

-- name: replay
-- Read one job.
SELECT id, connection, kind, destination, wanted, namespace, total, place, until, most, state, detail, looked_at, counts, failures, refusals,
  due_at, who, created_at, changed_at
FROM replays WHERE connection = :connection AND id = :id

-- name: replays
-- List the jobs of a connection, latest first.
SELECT id, connection, kind, destination, wanted, namespace, total, place, until, most, state, detail, looked_at, counts, failures, refusals,
  due_at, who, created_at, changed_at
FROM replays WHERE connection = :connection ORDER BY id DESC LIMIT :most

-- name: due_replays
-- List the running jobs of all connections that are due and free (or this worker's own), longest untouched first; a clock that jumped back frees them.
SELECT id, connection, epoch FROM replays
WHERE state = 'running' AND (:only IS NULL OR id = :only)
  AND (due_at <= clock() OR clock() < changed_at)
  AND (worker IS NULL OR worker = :worker OR leased_until <= clock() OR clock() < changed_at)
  AND EXISTS (SELECT 1 FROM connections c WHERE c.id = replays.connection)
ORDER BY changed_at, id

-- name: lease_replay
-- Take a job; the new epoch fences whoever had it.
UPDATE replays SET worker = :worker, leased_until = clock() + :seconds, epoch = epoch + 1, changed_at = clock()
WHERE connection = :connection AND id = :id AND epoch = :epoch AND state = 'running'

-- name: settle_replay
-- Write down what a step did, under the lease it was taken by; a job that was cancelled meanwhile stays so.
UPDATE replays SET place = :place, looked_at = looked_at + :looked_at, counts = :counts, most = :most, failures = :failures,
  refusals = :refusals, due_at = :due_at, changed_at = clock(), leased_until = clock() + :seconds,
  state = CASE state WHEN 'running' THEN :state ELSE state END, detail = CASE state WHEN 'running' THEN :detail ELSE detail END
WHERE connection = :connection AND id = :id AND epoch = :epoch

-- name: turn_replay
-- Change the state of a job by hand.
UPDATE replays SET state = :state, detail = '', failures = 0, refusals = 0, due_at = 0, changed_at = clock()
WHERE connection = :connection AND id = :id AND state = :before

-- name: release_replays
-- Give back every job that this worker holds.
UPDATE replays SET worker = NULL, leased_until = 0 WHERE worker = :worker AND state = 'running'

-- name: live_lane
-- Tell what a replay must wait for: whether its lane is paused, off, held or failing, and since when its oldest event waits; and its kind.
SELECT c.paused, NOT l.enabled, l.held, l.failures, clock() - (
    SELECT g.accepted_at FROM log g WHERE g.connection = l.connection AND g.last_seq > l.cursor ORDER BY g.last_seq LIMIT 1), l.kind
FROM lanes l JOIN connections c ON c.id = l.connection WHERE l.connection = :connection AND l.destination = :destination

-- name: delivered_span
-- Read between which seqs a lane has ended the events that the log still keeps.
SELECT c.pruned_to, l.cursor FROM lanes l JOIN connections c ON c.id = l.connection
WHERE l.connection = :connection AND l.destination = :destination

-- name: target
-- Read where a connection delivers to.
SELECT region, segment_host, write_key FROM connections WHERE id = :connection

-- name: chunk_at
-- Read when the chunk of a seq, or the next one, was accepted, and which seqs it holds.
SELECT accepted_at, last_seq, events FROM log WHERE connection = :connection AND last_seq >= :seq ORDER BY last_seq LIMIT 1

-- name: past_chunks
-- Walk the chunks with events of a stretch of the log, in order.
SELECT connection, last_seq, events, accepted_at, door, messages, raws FROM log
WHERE connection = :connection AND last_seq > :after AND last_seq - events < :until ORDER BY last_seq

-- name: dead_waiting
-- List the dead letters of a stretch that were asked to be sent again.
SELECT seq FROM dead_letters
WHERE connection = :connection AND destination = :destination AND seq > :after AND seq <= :until AND replay_at IS NOT NULL

-- name: count_rejects
-- Count the rejects that are wanted, and read the last one's id.
SELECT count(*), coalesce(max(id), 0) FROM rejects WHERE connection = :connection AND (:reason IS NULL OR code = :reason)
  AND (:since IS NULL OR last_at >= :since) AND (:until IS NULL OR last_at < :until)
  AND (:ids IS NULL OR id IN (SELECT value FROM json_each(:ids)))

-- name: wanted_rejects
-- Walk the wanted rejects of a span of ids.
SELECT id, door, first_at, NULL, raw FROM rejects
WHERE id > :place AND id <= :to AND +connection = :connection AND (:reason IS NULL OR code = :reason)
  AND (:since IS NULL OR last_at >= :since) AND (:until IS NULL OR last_at < :until)
  AND (:ids IS NULL OR id IN (SELECT value FROM json_each(:ids))) ORDER BY id LIMIT :most

-- name: reject_aside
-- Read one reject, to be sent again.
SELECT id, door, first_at, NULL, raw FROM rejects WHERE connection = :connection AND id = :id

-- name: explain_reject
-- Write down why a reject is refused today; that is no further arrival.
UPDATE rejects SET code = :code, errors = :errors WHERE connection = :connection AND id = :id

-- name: count_filtered
-- Count the filtered events that are wanted, and read the last one's id.
SELECT count(*), coalesce(max(id), 0) FROM filtered WHERE connection = :connection AND (:reason IS NULL OR reason = :reason)
  AND (:event IS NULL OR name = :event) AND (:since IS NULL OR accepted_at >= :since) AND (:until IS NULL OR accepted_at < :until)

-- name: wanted_filtered
-- Walk the wanted filtered events of a span of ids.
SELECT id, door, accepted_at, message_id, raw FROM filtered
WHERE id > :place AND id <= :to AND +connection = :connection AND (:reason IS NULL OR reason = :reason)
  AND (:event IS NULL OR name = :event) AND (:since IS NULL OR accepted_at >= :since) AND (:until IS NULL OR accepted_at < :until)
ORDER BY id LIMIT :most

-- name: count_dead
-- Count the dead letters that are wanted, and read the last one's seq.
SELECT count(*), coalesce(max(seq), 0) FROM dead_letters WHERE connection = :connection AND destination = :destination AND replay_at IS NULL
  AND (:reason IS NULL OR reason = :reason) AND (:seq IS NULL OR seq = :seq)
  AND (:since IS NULL OR died_at >= :since) AND (:until IS NULL OR died_at < :until)

-- name: wanted_dead
-- Walk the wanted dead letters of a span of seqs.
SELECT seq FROM dead_letters
WHERE connection = :connection AND destination = :destination AND seq > :place AND seq <= :to AND replay_at IS NULL
  AND (:reason IS NULL OR reason = :reason) AND (:since IS NULL OR died_at >= :since) AND (:until IS NULL OR died_at < :until)
ORDER BY seq LIMIT :most

-- name: ask_dead
-- Ask for one dead letter to be sent again.
UPDATE dead_letters SET replay_at = clock(), due_at = 0, tries = 0
WHERE connection = :connection AND destination = :destination AND seq = :seq AND replay_at IS NULL

-- name: dead_between
-- List the dead letters of a stretch.
SELECT seq FROM dead_letters WHERE connection = :connection AND destination = :destination AND seq BETWEEN :first AND :last
