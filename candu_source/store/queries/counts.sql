-- name: add_count
-- Count more of something at one time, for the charts.
INSERT INTO counts (connection, topic, name, step, start, amount) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (connection, step, start, topic, name) DO UPDATE SET amount = amount + excluded.amount

-- name: counted
-- Sum what was counted of a connection from a time (included) up to another (excluded), of one topic or of all, by points of so many seconds.
SELECT (start - :since) / :width AS point, topic, name, sum(amount) FROM counts
WHERE connection = :connection AND step = :step AND start >= :since AND start < :until AND (:topic IS NULL OR topic = :topic) GROUP BY 1, 2, 3

-- name: oldest_count
-- Find where the counts of a step begin.
SELECT min(start) FROM counts WHERE step = :step

-- name: prune_counts
-- Delete the oldest counts of a step.
DELETE FROM counts WHERE step = :step AND start < :before

-- name: see_door
-- Remember when something came by a door last.
INSERT INTO last_seen (connection, door, at) VALUES (?, ?, ?)
ON CONFLICT (connection, door) DO UPDATE SET at = max(at, excluded.at)

-- name: doors_seen
-- Read when something came by each door of a connection last.
SELECT door, at FROM last_seen WHERE connection = :connection ORDER BY door
