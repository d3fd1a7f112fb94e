-- name: add_audit
-- Write down one change.
INSERT INTO audit (at, who, action, connection, name, changes) VALUES (clock(), :who, :action, :connection, :name, :changes)

-- name: audit
-- List changes, latest first, of one connection or of all.
SELECT id, at, who, action, connection, name, changes FROM audit
WHERE id < :before AND (:connection IS NULL OR connection = :connection) ORDER BY id DESC LIMIT :most
