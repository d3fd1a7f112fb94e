-- name: add_connection
-- Register a connection.
INSERT INTO connections
  (id, name, slug, environment, region, segment_host, write_key, rules, created_at, requests_per_minute, pending_most, segment_source)
VALUES (:id, :name, :slug, :environment, :region, :segment_host, :write_key, :rules, :created_at, :requests_per_minute, :pending_most, :segment_source)

-- name: save_connection
-- Change what a person may change of a connection.
UPDATE connections SET name = :name, slug = :slug, environment = :environment, region = :region, segment_host = :segment_host, paused = :paused,
  rules = :rules, requests_per_minute = :requests_per_minute, pending_most = :pending_most, segment_source = :segment_source
WHERE id = :id

-- name: save_write_key
-- Put another encrypted write key in place.
UPDATE connections SET write_key = :write_key WHERE id = :connection

-- name: write_key
-- Read the encrypted write key of a connection.
SELECT write_key FROM connections WHERE id = :connection

-- name: write_keys
-- List the encrypted write keys, to see whether they decrypt.
SELECT id, write_key FROM connections ORDER BY name

-- name: connections
-- List connections by name, all or the one of a name or id; beside each the latest token that stands in pages.
SELECT id, name, slug, environment, region, segment_host, paused, rules, created_at, requests_per_minute, pending_most, segment_source,
  identity_secret, (SELECT t.shown FROM tokens t WHERE t.connection = c.id AND t.door = 'browser' AND t.expires_at IS NULL
    ORDER BY t.created_at DESC, t.rowid DESC LIMIT 1)
FROM connections c WHERE :name IS NULL OR name = :name OR id = :name ORDER BY name

-- name: save_identity_secret
-- Put another encrypted secret in place, by which user ids from browsers are proven.
UPDATE connections SET identity_secret = :secret WHERE id = :connection

-- name: add_lane
-- Open a lane at the beginning of the log.
INSERT INTO lanes (connection, destination) VALUES (:connection, :destination)

-- name: lane_switches
-- List the lanes of a connection, without those of syncs, and whether each is on.
SELECT destination, enabled FROM lanes WHERE connection = :connection AND kind <> 'stream' ORDER BY destination

-- name: lane_names
-- List all lanes of a connection.
SELECT destination FROM lanes WHERE connection = :connection ORDER BY destination

-- name: switch_lane
-- Turn a lane on or off.
UPDATE lanes SET enabled = :enabled WHERE connection = :connection AND destination = :destination

-- name: waiting
-- Count the events that the slowest of the worker's lanes has not passed; warehouses are in no hurry, and for a sync that is off nothing waits.
SELECT h.head - (SELECT min(l.cursor) FROM lanes l
  WHERE l.connection = h.connection AND (l.kind = 'segment' OR (l.kind = 'stream' AND l.enabled))) FROM heads h WHERE h.connection = :connection
