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

-- name: set_portal
-- Put another portal in place for one content, or take it away.
INSERT INTO contents (connection, content_id, portal_id) VALUES (:connection, :content_id, :portal_id)
ON CONFLICT (connection, content_id) DO UPDATE SET portal_id = excluded.portal_id
