-- name: add_token
-- Let a new token in.
INSERT INTO tokens (digest, connection, door, label, shown, created_at) VALUES (:digest, :connection, :door, :label, :shown, clock())

-- name: expire_tokens
-- Let the tokens in force for one use run out after a grace period in seconds.
UPDATE tokens SET expires_at = clock() + :grace
WHERE connection = :connection AND door = :door AND (expires_at IS NULL OR expires_at > clock() + :grace)

-- name: expire_token
-- Let one token run out after a grace period in seconds.
UPDATE tokens SET expires_at = clock() + :grace WHERE connection = :connection AND digest = :digest

-- name: tokens
-- List the tokens of a connection that have not run out, latest first.
SELECT digest, door, label, shown, created_at, expires_at FROM tokens
WHERE connection = :connection AND (expires_at IS NULL OR expires_at > clock()) ORDER BY created_at DESC, digest

-- name: token_owner
-- Find whose token this digest is, unless it has run out.
SELECT digest, connection FROM tokens WHERE digest = :digest AND door = :door AND (expires_at IS NULL OR expires_at > clock())
