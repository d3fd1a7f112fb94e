-- Every statement of the store, named, each with one line of intent. clock() stands for the database's own clock in seconds.

-- name: add_connection
-- Register a connection.
INSERT INTO connections (id, name, region, segment_host, write_key, rules, created_at, public_token)
VALUES (:id, :name, :region, :segment_host, :write_key, :rules, :created_at, :public_token)

-- name: save_connection
-- Change what a person may change of a connection.
UPDATE connections SET region = :region, segment_host = :segment_host, paused = :paused, rules = :rules WHERE id = :id

-- name: save_write_key
-- Put another encrypted write key in place.
UPDATE connections SET write_key = :write_key WHERE id = :connection

-- name: write_keys
-- List the encrypted write keys, to see whether they decrypt.
SELECT id, write_key FROM connections ORDER BY name

-- name: connections
-- List connections by name.
SELECT id, name, region, segment_host, paused, rules, created_at, public_token, identity_secret FROM connections ORDER BY name

-- name: connection_named
-- Find a connection by its name or id.
SELECT id, name, region, segment_host, paused, rules, created_at, public_token, identity_secret FROM connections WHERE name = :name OR id = :name

-- name: connection_of_token
-- Find whose token this digest is, unless it has run out.
SELECT t.digest, c.id, c.name, c.region, c.segment_host, c.paused, c.rules, c.created_at, c.public_token, c.identity_secret
FROM tokens t JOIN connections c ON c.id = t.connection
WHERE t.digest = :digest AND (t.expires_at IS NULL OR t.expires_at > clock())

-- name: connection_of_public_token
-- Find whose public token this is.
SELECT id, name, region, segment_host, paused, rules, created_at, public_token, identity_secret FROM connections WHERE public_token = :token

-- name: save_public_token
-- Put another public token in place; pages with the old one are strangers at once.
UPDATE connections SET public_token = :token WHERE id = :connection

-- name: save_identity_secret
-- Put another encrypted secret in place, by which user ids from browsers are proven.
UPDATE connections SET identity_secret = :secret WHERE id = :connection

-- name: add_token
-- Let a new token in.
INSERT INTO tokens (digest, connection, created_at) VALUES (:digest, :connection, clock())

-- name: expire_tokens
-- Let the tokens in force run out after a grace period in seconds.
UPDATE tokens SET expires_at = clock() + :grace
WHERE connection = :connection AND (expires_at IS NULL OR expires_at > clock() + :grace)

-- name: add_lane
-- Open a lane at the beginning of the log.
INSERT INTO lanes (connection, destination) VALUES (:connection, :destination)

-- name: connection_exists
-- Tell whether a connection is still there.
SELECT 1 FROM connections WHERE id = ?

-- name: last_event
-- Read when a connection's last event was accepted.
SELECT accepted_at FROM log WHERE connection = :connection ORDER BY last_seq DESC LIMIT 1

-- name: known
-- Tell which of so many digests, standing end to end, the log has.
SELECT digest FROM ids WHERE digest IN (
    WITH RECURSIVE event (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM event WHERE n + 1 < :events)
    SELECT substr(:digests, 1 + 16 * n, 16) FROM event)

-- name: append
-- Write chunks at the next seqs: events written with it (this one's last included) and on its connection, connection, events, door, digests…
INSERT INTO log (accepted_at, place, last_seq, connection, events, door, digests, messages, raws)
SELECT ?1, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'log'), 0) + column1,
  (SELECT head FROM heads WHERE connection = column3) + column2, column3, column4, column5, column6, column7, column8
FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?))

-- name: add_filtered
-- Keep one filtered event, unless it is kept already.
INSERT INTO filtered (connection, message_id, digest, name, reason, door, accepted_at, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (connection, message_id) DO NOTHING

-- name: take_filtered
-- Forget one filtered event.
DELETE FROM filtered WHERE connection = ? AND message_id = ?

-- name: add_reject
-- Keep one refused input, or count the same bytes once more.
INSERT INTO rejects (connection, digest, door, code, errors, count, first_at, last_at, raw) VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?)
ON CONFLICT (connection, digest) DO UPDATE SET count = count + 1, last_at = excluded.last_at, code = excluded.code, errors = excluded.errors

-- name: due_lanes
-- List the lanes with something to send that are due and free (or this worker's own), longest-waiting first; a clock that jumped back frees them.
SELECT l.connection, l.destination, l.cursor, l.failures, l.epoch, c.name, c.region, c.segment_host, c.write_key
FROM lanes l JOIN connections c ON c.id = l.connection
WHERE l.held IS NULL AND NOT c.paused
  AND (l.failures = 0 OR NOT :healthy_only)
  AND (l.due_at <= clock() OR clock() < l.waiting_since)
  AND (l.worker IS NULL OR l.worker = :worker OR l.leased_until <= clock() OR clock() < l.leased_at)
  AND (EXISTS (SELECT 1 FROM log g WHERE g.connection = l.connection AND g.last_seq > l.cursor) OR EXISTS (
      SELECT 1 FROM dead_letters d WHERE d.connection = l.connection AND d.destination = l.destination AND d.replay_at IS NOT NULL))
  AND NOT EXISTS (SELECT 1 FROM json_each(:busy) b WHERE b.value ->> 0 = l.connection AND b.value ->> 1 = l.destination)
ORDER BY l.turn LIMIT :most

-- name: last_turn
-- Read the turn of the lane that was claimed last.
SELECT max(turn) FROM lanes

-- name: lease
-- Take a lane, whose wait is over; the new epoch fences whoever had it.
UPDATE lanes SET worker = :worker, due_at = 0, leased_at = clock(), leased_until = clock() + :seconds, epoch = epoch + 1, turn = :turn
WHERE connection = :connection AND destination = :destination

-- name: renew
-- Prolong a lease that is still ours.
UPDATE lanes SET leased_at = clock(), leased_until = clock() + :seconds
WHERE connection = :connection AND destination = :destination AND epoch = :epoch

-- name: release_all
-- Give back every lane that this worker holds.
UPDATE lanes SET worker = NULL, leased_until = 0 WHERE worker = :worker

-- name: settled_beyond
-- List the ranges beyond the cursor that are ended already, in order.
SELECT first_seq, last_seq FROM attempts
WHERE connection = :connection AND destination = :destination AND settled AND first_seq > :cursor ORDER BY first_seq

-- name: waiting_chunks
-- Read the chunks with events of a stretch of the log, in order.
SELECT last_seq, events, messages, accepted_at FROM log
WHERE connection = :connection AND last_seq > :after AND last_seq - events < :before - 1 ORDER BY last_seq

-- name: replay_seqs
-- List the dead letters that are to be sent again, in order.
SELECT seq FROM dead_letters WHERE connection = :connection AND destination = :destination AND replay_at IS NOT NULL ORDER BY seq

-- name: chunk
-- Read the chunk that holds a seq.
SELECT connection, last_seq, events, accepted_at, door, messages, raws FROM log
WHERE connection = :connection AND last_seq >= :seq ORDER BY last_seq LIMIT 1

-- name: lane_cursor
-- Read where a lane stands and which claim is in force.
SELECT cursor, epoch FROM lanes WHERE connection = :connection AND destination = :destination

-- name: add_attempt
-- Write down one try.
INSERT INTO attempts (connection, destination, first_seq, last_seq, events, replay, settled, started_at, seconds, outcome, status, detail, decision)
VALUES (:connection, :destination, :first_seq, :last_seq, :events, :replay, :settled, :started_at, :seconds, :outcome, :status, :detail, :decision)

-- name: move_cursor
-- Put the cursor forward; a lane that is not waiting is healthy again.
UPDATE lanes SET cursor = :cursor, failures = CASE WHEN due_at <= clock() THEN 0 ELSE failures END
WHERE connection = :connection AND destination = :destination

-- name: wait
-- Make a lane wait; of several answers to one claim the longest wait counts.
UPDATE lanes SET failures = :failures, waiting_since = clock(), due_at = max(due_at, :due_at)
WHERE connection = :connection AND destination = :destination

-- name: hold
-- Hold a lane until a person mends it.
UPDATE lanes SET held = :reason, held_detail = :detail WHERE connection = :connection AND destination = :destination

-- name: unhold
-- Let the lanes of a connection go at once.
UPDATE lanes SET held = NULL, held_detail = NULL, failures = 0, due_at = 0 WHERE connection = :connection

-- name: bury
-- Set events aside as dead.
INSERT INTO dead_letters (connection, destination, seq, reason, detail, died_at) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (connection, destination, seq) DO UPDATE SET reason = excluded.reason, detail = excluded.detail, died_at = excluded.died_at, replay_at = NULL

-- name: raise_dead
-- Forget a dead letter that was delivered after all.
DELETE FROM dead_letters WHERE connection = ? AND destination = ? AND seq = ?

-- name: tallies
-- Count where the events of every lane are, from the rows themselves.
SELECT c.id, c.name, l.destination, h.head, c.pruned_to, l.cursor, l.held, l.dead_expired, c.filtered_expired, c.paused, l.failures, l.due_at,
  l.held_detail,
  (SELECT count(*) FROM dead_letters d WHERE d.connection = c.id AND d.destination = l.destination AND d.replay_at IS NULL) AS dead,
  (SELECT count(*) FROM dead_letters d WHERE d.connection = c.id AND d.destination = l.destination AND d.replay_at IS NOT NULL) AS replaying,
  (SELECT count(*) FROM filtered f WHERE f.connection = c.id) AS filtered,
  (SELECT coalesce(sum(a.events), 0) FROM attempts a
    WHERE a.connection = c.id AND a.destination = l.destination AND a.settled AND a.first_seq > l.cursor) AS ahead,
  (SELECT g.accepted_at FROM log g WHERE g.connection = c.id AND g.last_seq > l.cursor ORDER BY g.last_seq LIMIT 1) AS oldest_pending
FROM connections c JOIN heads h ON h.connection = c.id JOIN lanes l ON l.connection = c.id
WHERE :connection IS NULL OR c.id = :connection ORDER BY c.name, l.destination

-- name: log_span
-- Count the events that the log keeps beyond retention's mark, where they begin and end, and the chunks that do not follow the one before.
SELECT coalesce(sum(events), 0), coalesce(min(last_seq - events + 1), 0), coalesce(max(last_seq), 0), coalesce(sum(last_seq - events != before), 0)
FROM (SELECT last_seq, events, lag(last_seq, 1, :after) OVER (ORDER BY last_seq) AS before
  FROM log WHERE connection = :connection AND last_seq > :after)

-- name: id_faults
-- Count the events in the log, the ids that refuse their second copies, and those of them that name a chunk which is not there.
SELECT (SELECT coalesce(sum(events), 0) FROM log), (SELECT count(*) FROM ids),
  (SELECT count(*) FROM ids i WHERE NOT EXISTS (SELECT 1 FROM log g WHERE g.place = i.place))

-- name: places
-- Count the events ever written, once by the seqs given out and once by SQLite's own account.
SELECT (SELECT coalesce(sum(head), 0) FROM heads), coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'log'), 0)

-- name: settled_ranges
-- List all ranges that ended events of a lane, in order, with how they ended.
SELECT first_seq, last_seq, events, decision FROM attempts
WHERE connection = :connection AND destination = :destination AND settled AND last_seq > :after ORDER BY first_seq

-- name: dead_seqs
-- List the dead letters of a lane beyond a seq.
SELECT seq FROM dead_letters WHERE connection = :connection AND destination = :destination AND seq > :after ORDER BY seq

-- name: raised_ranges
-- List the dead letters that were delivered after all.
SELECT first_seq, last_seq FROM attempts
WHERE connection = :connection AND destination = :destination AND replay AND decision = 'advance' AND last_seq > :after

-- name: reject_count
-- Count a connection's rejects, and how often they came.
SELECT count(*), coalesce(sum(count), 0) FROM rejects WHERE connection = :connection

-- name: tail
-- Read a connection's latest chunks, newest first.
SELECT connection, last_seq, events, accepted_at, door, messages, raws FROM log
WHERE connection = :connection AND last_seq > :after ORDER BY last_seq DESC

-- name: chunk_of_id
-- Find the chunk of a message id, with the digests of its events.
SELECT g.last_seq, g.events, g.digests FROM ids i JOIN log g ON g.place = i.place WHERE i.digest = :digest AND g.connection = :connection

-- name: filtered_event
-- Find a filtered event by its message id.
SELECT message_id, name, reason, door, accepted_at, raw FROM filtered WHERE connection = :connection AND message_id = :message_id

-- name: event_attempts
-- List every try that had this event in it.
SELECT destination, first_seq, last_seq, events, replay, started_at, seconds, outcome, status, detail, decision FROM attempts
WHERE connection = :connection AND last_seq >= :seq AND first_seq <= :seq ORDER BY id

-- name: event_lanes
-- Tell for every lane whether it has passed this event, and whether the event died there.
SELECT l.destination, l.cursor >= :seq OR EXISTS (
    SELECT 1 FROM attempts a WHERE a.connection = l.connection AND a.destination = l.destination AND a.settled
      AND a.first_seq <= :seq AND a.last_seq >= :seq) AS passed, d.reason, d.detail, d.replay_at
FROM lanes l LEFT JOIN dead_letters d ON d.connection = l.connection AND d.destination = l.destination AND d.seq = :seq
WHERE l.connection = :connection

-- name: dead_letters
-- List dead letters, oldest first.
SELECT destination, seq, reason, detail, died_at, replay_at FROM dead_letters WHERE connection = :connection ORDER BY seq LIMIT :most

-- name: replay_dead
-- Ask for dead letters to be sent again, all or those of one reason or seq.
UPDATE dead_letters SET replay_at = clock()
WHERE connection = :connection AND replay_at IS NULL AND (:reason IS NULL OR reason = :reason) AND (:seq IS NULL OR seq = :seq)

-- name: rejects
-- List refused inputs, latest first.
SELECT id, door, code, errors, count, first_at, last_at, raw FROM rejects WHERE connection = :connection ORDER BY last_at DESC, id DESC LIMIT :most

-- name: reject
-- Read one refused input.
SELECT id, door, code, errors, count, first_at, last_at, raw FROM rejects WHERE connection = :connection AND id = :id

-- name: replayable_rejects
-- Walk the rejects in order of their ids, a step at a time.
SELECT id, door, code, errors, count, first_at, last_at, raw FROM rejects WHERE connection = :connection AND id > :after ORDER BY id LIMIT :most

-- name: drop_reject
-- Forget a reject that has been accepted after all.
DELETE FROM rejects WHERE connection = :connection AND id = :id

-- name: filtered_names
-- Count filtered events by name and reason.
SELECT name, reason, count(*), min(accepted_at), max(accepted_at) FROM filtered WHERE connection = :connection GROUP BY name, reason ORDER BY name, reason

-- name: filtered_page
-- Walk the filtered events in order of their ids, a step at a time.
SELECT message_id, name, reason, door, accepted_at, raw FROM filtered
WHERE connection = :connection AND message_id > :after AND (:name IS NULL OR name = :name) ORDER BY message_id LIMIT :most

-- name: import_state
-- Read how far an import got.
SELECT read_to, before FROM imports WHERE connection = :connection AND file = :file

-- name: move_import
-- Write down how far an import got.
INSERT INTO imports (connection, file, read_to, before) VALUES (:connection, :file, :read_to, :before)
ON CONFLICT (connection, file) DO UPDATE SET read_to = excluded.read_to, before = excluded.before

-- name: contents
-- List what is known of a connection's contents; a name told by the slug alone stands for every content of that slug.
SELECT c.content_id, c.slug, coalesce(c.name, t.name), c.portal_id
FROM contents c LEFT JOIN contents t ON t.connection = c.connection AND t.content_id IS NULL AND t.slug = c.slug
WHERE c.connection = :connection AND (c.content_id IS NOT NULL OR NOT EXISTS (
    SELECT 1 FROM contents k WHERE k.connection = c.connection AND k.slug = c.slug AND k.content_id IS NOT NULL))
ORDER BY c.slug IS NULL, c.slug, c.content_id

-- name: content_metadata
-- List name and slug of the contents that have a slug.
SELECT coalesce(max(name), slug), slug FROM contents WHERE connection = :connection AND slug IS NOT NULL GROUP BY slug ORDER BY slug

-- name: tell_content
-- Write down what was told of a content; what was left out is not erased.
INSERT INTO contents (connection, content_id, slug, name, portal_id) VALUES (:connection, :content_id, :slug, :name, :portal_id)
ON CONFLICT (connection, content_id) DO UPDATE SET
  slug = coalesce(excluded.slug, slug), name = coalesce(excluded.name, name), portal_id = coalesce(excluded.portal_id, portal_id)

-- name: tell_slug
-- Write down what was told of a slug alone.
INSERT INTO contents (connection, slug, name) VALUES (:connection, :slug, :name)
ON CONFLICT (connection, slug) WHERE content_id IS NULL DO UPDATE SET name = coalesce(excluded.name, name)

-- name: rename_slug
-- Give the contents of a slug the name that it was told.
UPDATE contents SET name = :name WHERE connection = :connection AND slug = :slug AND :name IS NOT NULL

-- name: unseen_contents
-- Tell whether any of these pairs of content id and slug says something new.
SELECT 1 FROM json_each(:pairs) p WHERE NOT EXISTS (
    SELECT 1 FROM contents c WHERE c.connection = :connection AND c.content_id = p.value ->> 0 AND (c.slug IS NOT NULL OR p.value ->> 1 IS NULL))
LIMIT 1

-- name: see_contents
-- Add the contents that events speak of, and the slugs that were missing.
INSERT INTO contents (connection, content_id, slug)
SELECT :connection, p.value ->> 0, p.value ->> 1 FROM json_each(:pairs) p WHERE true
ON CONFLICT (connection, content_id) DO UPDATE SET slug = excluded.slug WHERE slug IS NULL AND excluded.slug IS NOT NULL

-- name: portals
-- Read a connection's table of content ids and portal ids.
SELECT content_id, portal_id FROM contents WHERE connection = :connection AND content_id IS NOT NULL AND portal_id IS NOT NULL

-- name: shape_cursor
-- Read how far the watch on shapes has read a source.
SELECT read_to FROM shape_cursors WHERE source = :source

-- name: move_shape_cursor
-- Write down how far the watch has read, unless another has read on meanwhile.
INSERT INTO shape_cursors (source, read_to) VALUES (:source, :read_to)
ON CONFLICT (source) DO UPDATE SET read_to = excluded.read_to WHERE read_to = :after

-- name: unread_log
-- Read the chunks of all connections beyond a place, in order.
SELECT place, connection, door, accepted_at, '' AS code, raws FROM log WHERE place > :after ORDER BY place LIMIT :most

-- name: unread_filtered
-- Read the filtered events of all connections beyond an id, in order.
SELECT id, connection, door, accepted_at, '' AS code, raw FROM filtered WHERE id > :after ORDER BY id LIMIT :most

-- name: unread_rejects
-- Read the refused inputs of all connections beyond an id, in order.
SELECT id, connection, door, first_at, code, raw FROM rejects WHERE id > :after ORDER BY id LIMIT :most

-- name: learned_shape
-- Read what was learned of an event's shape.
SELECT path, type, always FROM shapes WHERE connection = :connection AND door = :door AND event = :event

-- name: learn_shape
-- Write down what is known of an event's shape from now on.
INSERT INTO shapes (connection, door, event, path, type, always) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (connection, door, event, path, type) DO NOTHING

-- name: noticed_changes
-- Read what was noticed of an event's shape.
SELECT change, path, type FROM shape_notices WHERE connection = :connection AND door = :door AND event = :event

-- name: shaped_events
-- List the events of which something was learned or noticed at a door.
SELECT event FROM shapes WHERE connection = :connection AND door = :door
UNION SELECT event FROM shape_notices WHERE connection = :connection AND door = :door

-- name: add_shape_notice
-- Notice a change, or count it once more.
INSERT INTO shape_notices (connection, door, event, change, path, type, count, first_at, last_at, sample) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (connection, door, event, change, path, type) DO UPDATE SET count = count + excluded.count, last_at = max(last_at, excluded.last_at)

-- name: shape_notices
-- List what was noticed, of one connection or all, oldest first.
SELECT n.id, n.connection, coalesce(c.name, n.connection), n.door, n.event, n.change, n.path, n.type, n.count, n.first_at, n.last_at, n.acked_at
FROM shape_notices n LEFT JOIN connections c ON c.id = n.connection
WHERE (:connection IS NULL OR n.connection = :connection) AND (:id IS NULL OR n.id = :id) AND (:acked OR n.acked_at IS NULL) ORDER BY n.id

-- name: shape_sample
-- Read the first input that showed a change.
SELECT sample FROM shape_notices WHERE connection = :connection AND id = :id

-- name: ack_shape_notices
-- Acknowledge what was noticed on a connection, one notice or all.
UPDATE shape_notices SET acked_at = clock() WHERE connection = :connection AND acked_at IS NULL AND (:id IS NULL OR id = :id)

-- name: expired_samples
-- List the notices whose sample is past the retention of rejects.
SELECT id FROM shape_notices WHERE first_at < :cutoff AND length(sample) > 0 LIMIT :most

-- name: forget_samples
-- Forget samples past the retention of rejects; the notices stay.
UPDATE shape_notices SET sample = x'' WHERE id IN (SELECT id FROM shape_notices WHERE first_at < :cutoff AND length(sample) > 0 LIMIT :most)

-- name: prunable_connections
-- List the connections whose oldest kept event every lane has passed and retention has released.
SELECT c.id, c.pruned_to, min(l.cursor) FROM connections c JOIN lanes l ON l.connection = c.id
GROUP BY c.id, c.pruned_to HAVING min(l.cursor) > c.pruned_to

-- name: prunable_chunks
-- Read the next chunks that every lane has passed, in order.
SELECT last_seq, events, accepted_at FROM log
WHERE connection = :connection AND last_seq > :after AND last_seq <= :before ORDER BY last_seq LIMIT :most

-- name: prune_log
-- Delete chunks up to a seq, save those that a dead letter still needs.
DELETE FROM log WHERE connection = :connection AND last_seq > :after AND last_seq <= :before AND NOT EXISTS (
    SELECT 1 FROM dead_letters d WHERE d.connection = log.connection AND d.seq > log.last_seq - log.events AND d.seq <= log.last_seq)

-- name: prune_attempts
-- Delete the tries whose events are all released.
DELETE FROM attempts WHERE connection = :connection AND last_seq <= :before

-- name: mark_pruned
-- Put retention's mark forward.
UPDATE connections SET pruned_to = :before WHERE id = :connection

-- name: expired_dead
-- List dead letters that are past their own retention and already behind retention's mark.
SELECT d.connection, d.destination, d.seq FROM dead_letters d JOIN connections c ON c.id = d.connection
WHERE d.died_at < :cutoff AND d.replay_at IS NULL AND d.seq <= c.pruned_to LIMIT :most

-- name: drop_chunk
-- Delete the chunk of a dead letter that is gone, once retention has released it and no other dead letter needs it.
DELETE FROM log WHERE connection = :connection AND last_seq = (
    SELECT min(g.last_seq) FROM log g WHERE g.connection = :connection AND g.last_seq >= :seq)
  AND last_seq - events < :seq AND last_seq <= (SELECT pruned_to FROM connections WHERE id = :connection) AND NOT EXISTS (
    SELECT 1 FROM dead_letters d WHERE d.connection = log.connection AND d.seq > log.last_seq - log.events AND d.seq <= log.last_seq)

-- name: count_dead_expired
-- Keep the ledger exact when a dead letter is deleted.
UPDATE lanes SET dead_expired = dead_expired + 1 WHERE connection = ? AND destination = ?

-- name: expired_filtered
-- List filtered events past their retention.
SELECT connection, message_id FROM filtered WHERE accepted_at < :cutoff LIMIT :most

-- name: count_filtered_expired
-- Keep the ledger exact when a filtered event is deleted.
UPDATE connections SET filtered_expired = filtered_expired + 1 WHERE id = ?

-- name: expired_rejects
-- List rejects past their retention.
SELECT id FROM rejects WHERE last_at < :cutoff LIMIT :most

-- name: prune_rejects
-- Delete rejects past their retention.
DELETE FROM rejects WHERE id IN (SELECT id FROM rejects WHERE last_at < :cutoff LIMIT :most)
