-- name: add_warehouse_lane
-- Open a warehouse's lane where the log begins now.
INSERT INTO lanes (connection, destination, kind, cursor, began)
SELECT id, :destination, 'warehouse', pruned_to, pruned_to FROM connections WHERE id = :connection

-- name: add_warehouse
-- Describe a warehouse.
INSERT INTO warehouses (connection, destination, place, shown, schema, every, max_pending, selection, choices, created_at)
VALUES (:connection, :destination, :place, :shown, :schema, :every, :max_pending, :selection, :choices, clock())

-- name: warehouses
-- List the warehouses of one connection, or of all.
SELECT w.connection, w.destination, w.shown, w.schema, w.every, w.max_pending, w.selection, w.choices, w.created_at
FROM warehouses w WHERE :connection IS NULL OR w.connection = :connection ORDER BY w.connection, w.destination

-- name: upkeep
-- Read how a warehouse is.
SELECT l.enabled AND NOT c.paused, l.failures, l.due_at, w.syncing_since, h.head - l.cursor,
  (SELECT g.accepted_at FROM log g WHERE g.connection = c.id AND g.last_seq > l.cursor ORDER BY g.last_seq LIMIT 1), w.asked, w.tables
FROM warehouses w JOIN lanes l ON l.connection = w.connection AND l.destination = w.destination
JOIN connections c ON c.id = w.connection JOIN heads h ON h.connection = w.connection
WHERE w.connection = :connection AND w.destination = :destination

-- name: warehouse_place
-- Read where a warehouse is, encrypted.
SELECT place FROM warehouses WHERE connection = :connection AND destination = :destination

-- name: save_warehouse
-- Write back what may be changed of a warehouse.
UPDATE warehouses SET place = coalesce(:place, place), shown = :shown, every = :every, max_pending = :max_pending,
  selection = :selection, choices = :choices
WHERE connection = :connection AND destination = :destination

-- name: due_at_once
-- Let a lane be due now.
UPDATE lanes SET due_at = 0 WHERE connection = :connection AND destination = :destination

-- name: ask_sync
-- Note what somebody asked of a warehouse's next sync.
UPDATE warehouses SET asked = :asked WHERE connection = :connection AND destination = :destination

-- name: note_asked
-- Leave of what somebody asked for only the sync: the warehouse keeps by itself what it loads again.
UPDATE warehouses SET asked = '[]' WHERE connection = :connection AND destination = :destination AND asked = :asked

-- name: remove_warehouse
-- Forget a warehouse.
DELETE FROM warehouses WHERE connection = :connection AND destination = :destination

-- name: remove_lane
-- Take a lane away.
DELETE FROM lanes WHERE connection = :connection AND destination = :destination

-- name: remove_attempts
-- Forget the tries of a lane.
DELETE FROM attempts WHERE connection = :connection AND destination = :destination

-- name: remove_syncs
-- Forget the syncs of a warehouse.
DELETE FROM syncs WHERE connection = :connection AND destination = :destination

-- name: due_warehouses
-- List the warehouses that are due, because it is time, because much waits, or because somebody asked; the longest-waiting first.
SELECT w.connection, w.destination
FROM warehouses w JOIN lanes l ON l.connection = w.connection AND l.destination = w.destination
JOIN connections c ON c.id = w.connection JOIN heads h ON h.connection = w.connection
WHERE (w.asked <> '' OR (l.enabled AND NOT c.paused AND h.head > l.cursor))
  AND (l.due_at <= clock() OR clock() < l.waiting_since OR (w.max_pending > 0 AND l.failures = 0 AND h.head - l.cursor >= w.max_pending))
ORDER BY l.due_at

-- name: idle_warehouses
-- List the warehouses that are due and for which nothing waits.
SELECT w.connection, w.destination, w.every
FROM warehouses w JOIN lanes l ON l.connection = w.connection AND l.destination = w.destination JOIN heads h ON h.connection = w.connection
WHERE w.asked = '' AND l.due_at <= clock() AND h.head <= l.cursor

-- name: await_turn
-- Let a lane wait for its next turn, unless something has come for it meanwhile.
UPDATE lanes SET waiting_since = clock(), due_at = :due_at
WHERE connection = :connection AND destination = :destination AND cursor >= (SELECT head FROM heads WHERE connection = :connection)

-- name: warehouse_chunks
-- Walk the log beyond a seq, in order.
SELECT last_seq, events, messages, accepted_at FROM log WHERE connection = :connection AND last_seq > :after ORDER BY last_seq

-- name: oldest_event
-- Read when the oldest event that the log keeps was accepted.
SELECT accepted_at FROM log WHERE connection = :connection ORDER BY last_seq LIMIT 1

-- name: sent_between
-- List the tries that delivered events of a stretch of the log; a try has at most so many events, so it begins no earlier.
SELECT first_seq, last_seq, started_at FROM attempts
WHERE connection = :connection AND destination = :destination AND settled AND decision = 'advance'
  AND first_seq > :first - :most AND first_seq <= :last AND last_seq >= :first ORDER BY first_seq

-- name: begin_sync
-- Note that a sync is under way.
UPDATE warehouses SET syncing_since = clock() WHERE connection = :connection AND destination = :destination

-- name: end_sync
-- Note that no sync is under way any more; one that went well did what was asked.
UPDATE warehouses SET syncing_since = NULL, tables = coalesce(:tables, tables), asked = CASE WHEN :error = '' AND asked = :asked THEN '' ELSE asked END
WHERE connection = :connection AND destination = :destination

-- name: end_syncs
-- Note that no sync is under way any more: the process that looked after them has ended.
UPDATE warehouses SET syncing_since = NULL WHERE syncing_since IS NOT NULL

-- name: put_off_sync
-- Count a failure or forget those before, and say when the next sync is due: at once where more was asked while one that went well ran.
UPDATE lanes SET failures = CASE WHEN :error = '' THEN 0 ELSE failures + 1 END, waiting_since = clock(),
  due_at = CASE WHEN :error = '' AND EXISTS (SELECT 1 FROM warehouses w
    WHERE w.connection = :connection AND w.destination = :destination AND w.asked <> '') THEN 0 ELSE :due_at END
WHERE connection = :connection AND destination = :destination

-- name: add_sync
-- Write down what a sync did.
INSERT INTO syncs (connection, destination, started_at, seconds, events, rows, remarks, error)
VALUES (:connection, :destination, :started_at, :seconds, :events, :rows, :remarks, :error)

-- name: trim_syncs
-- Forget all but the latest syncs of a warehouse.
DELETE FROM syncs WHERE connection = :connection AND destination = :destination AND id <= (
    SELECT id FROM syncs WHERE connection = :connection AND destination = :destination ORDER BY id DESC LIMIT 1 OFFSET :most)

-- name: syncs
-- List a warehouse's syncs, latest first.
SELECT started_at, seconds, events, rows, remarks, error, id FROM syncs
WHERE connection = :connection AND destination = :destination ORDER BY id DESC LIMIT :most

-- name: lane_standing
-- Read how far a lane has come.
SELECT cursor FROM lanes WHERE connection = :connection AND destination = :destination

-- name: lane_passed
-- Put the cursor of a lane that follows a warehouse forward.
UPDATE lanes SET cursor = :cursor WHERE connection = :connection AND destination = :destination
