-- name: add_channel
-- Send notices there from now on.
INSERT INTO channels (kind, address, shown, connection, created_at) VALUES (:kind, :address, :shown, :connection, clock()) RETURNING id

-- name: channels
-- List channels with what became of their posts: how many wait, when one was last tried, and what that met.
SELECT c.id, c.kind, c.shown, c.connection, CASE c.connection WHEN '' THEN '' ELSE coalesce(n.name, c.connection) END, c.created_at,
  (SELECT count(*) FROM notice_posts p WHERE p.channel = c.id AND p.state = 'waiting'),
  (SELECT max(p.tried_at) FROM notice_posts p WHERE p.channel = c.id),
  coalesce((SELECT p.error FROM notice_posts p WHERE p.channel = c.id AND p.tried_at IS NOT NULL ORDER BY p.tried_at DESC, p.id DESC LIMIT 1), '')
FROM channels c LEFT JOIN connections n ON n.id = c.connection
WHERE (:id IS NULL OR c.id = :id) AND (:connection IS NULL OR c.connection = :connection) ORDER BY c.id

-- name: channel_address
-- Read where a channel leads, encrypted.
SELECT address FROM channels WHERE id = :id

-- name: remove_channel
-- Send nothing there any more, what waits included.
DELETE FROM channels WHERE id = :id

-- name: due_posts
-- Read the next post of every channel whose turn has come, the longest-waiting first; a channel's later posts wait for it.
SELECT p.id, c.id, c.kind, c.address, p.tries, p.made_at, p.what, n.id, n.cause,
  CASE n.connection WHEN '' THEN '' ELSE coalesce(o.name, n.connection) END, n.urgency, n.text, n.opened_at,
  CASE p.what WHEN 'closed' THEN n.closed_at END
FROM (SELECT min(id) AS id FROM notice_posts WHERE state = 'waiting' GROUP BY channel) next
JOIN notice_posts p ON p.id = next.id JOIN channels c ON c.id = p.channel JOIN notices n ON n.id = p.notice
LEFT JOIN connections o ON o.id = n.connection
WHERE p.due_at <= :now AND NOT EXISTS (SELECT 1 FROM json_each(:busy) b WHERE b.value = c.id) ORDER BY p.due_at, p.id LIMIT :most

-- name: settle_post
-- Write down what became of a post, unless its channel is gone.
UPDATE notice_posts SET state = :state, tries = tries + 1, tried_at = :now, due_at = :due_at, error = :error WHERE id = :id
