-- name: integrations
-- List the integrations that people made.
SELECT name, state, draft, logo, changed_at, submitted_at, released_at FROM integrations WHERE :name IS NULL OR name = :name ORDER BY name

-- name: save_integration
-- Keep what is being written of an integration; what syncs use stays as it was.
INSERT INTO integrations (name, state, draft, logo, changed_at) VALUES (:name, 'draft', :draft, :logo, clock())
ON CONFLICT (name) DO UPDATE SET state = 'draft', draft = excluded.draft, logo = excluded.logo, changed_at = excluded.changed_at

-- name: submit_integration
-- Submit an integration, unless somebody has changed it meanwhile.
UPDATE integrations SET state = 'submitted', submitted_at = clock() WHERE name = :name AND state = 'draft' AND draft = :draft

-- name: release_integration
-- Let syncs use what was submitted.
UPDATE integrations SET state = 'released', released = draft, released_at = clock()
WHERE name = :name AND state = 'submitted' AND draft = :draft

-- name: remove_integration
-- Forget an integration.
DELETE FROM integrations WHERE name = :name

-- name: released_at
-- Tell when what syncs use of an integration was released.
SELECT released_at FROM integrations WHERE name = :name

-- name: released_integration
-- Read what syncs use of an integration.
SELECT released_at, released, logo FROM integrations WHERE name = :name

-- name: integration_uses
-- List the syncs of integrations, of one or of all.
SELECT s.integration, s.connection, s.destination, c.name FROM streams s JOIN connections c ON c.id = s.connection
WHERE :name IS NULL OR s.integration = :name ORDER BY c.name, s.destination
