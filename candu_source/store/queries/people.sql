-- name: add_user
-- Let a person sign in.
INSERT INTO users (name, password, role, everything, created_at) VALUES (:name, :password, :role, :everything, clock())

-- name: save_password
-- Put another password in place.
UPDATE users SET password = :password WHERE name = :name

-- name: remove_user
-- Let a person sign in no more.
DELETE FROM users WHERE name = :name

-- name: add_grant
-- Let a person see a connection.
INSERT INTO grants (user, connection) VALUES (:user, :connection)

-- name: users
-- List people by name, with the ids of the connections that they see, or NULL for every one.
SELECT u.name, u.role, CASE WHEN u.everything THEN NULL ELSE
    (SELECT json_group_array(g.connection) FROM grants g WHERE g.user = u.name) END, u.created_at, u.password
FROM users u WHERE :name IS NULL OR u.name = :name ORDER BY u.name

-- name: add_session
-- Remember that somebody has signed in.
INSERT INTO sessions (digest, user, created_at, expires_at) VALUES (:digest, :user, clock(), clock() + :seconds)

-- name: session_user
-- Find who signed in with this session, unless it has run out.
SELECT digest, user FROM sessions WHERE digest = :digest AND expires_at > clock()

-- name: end_session
-- Sign one session out.
DELETE FROM sessions WHERE digest = :digest

-- name: end_sessions
-- Sign somebody out everywhere.
DELETE FROM sessions WHERE user = :name

-- name: forget_sessions
-- Forget the sessions that have run out.
DELETE FROM sessions WHERE expires_at <= clock()

-- name: forget_invitations
-- Take back every one-time link.
DELETE FROM invitations

-- name: add_invitation
-- Make a one-time link.
INSERT INTO invitations (digest, expires_at) VALUES (:digest, clock() + :seconds)

-- name: invitation
-- Find a one-time link that has not run out.
SELECT digest FROM invitations WHERE digest = :digest AND expires_at > clock()

-- name: add_admin_token
-- Let a program in.
INSERT INTO admin_tokens (digest, name, role, connection, shown, created_at) VALUES (:digest, :name, :role, :connection, :shown, clock())

-- name: admin_tokens
-- List API tokens by name.
SELECT name, role, connection, shown, created_at FROM admin_tokens ORDER BY name

-- name: admin_token
-- Find whose API token this is.
SELECT digest, name, role, connection FROM admin_tokens WHERE digest = :digest

-- name: remove_admin_token
-- Let a program in no more.
DELETE FROM admin_tokens WHERE name = :name
