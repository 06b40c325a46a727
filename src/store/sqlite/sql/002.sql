-- The outbox: a row is here exactly while its message waits or is under way.
CREATE TABLE outbox (
    account  INTEGER NOT NULL,
    -- The real one. All that a receiver waits for is one range, the first message first.
    openid   TEXT NOT NULL,
    -- When it was first due; 0 once it was claimed, so that it stays the first.
    place    INTEGER NOT NULL,
    id       BLOB NOT NULL,
    channel  INTEGER NOT NULL,
    -- For what the first message of a receiver waits: 0 nothing, 1 its time, 2 the end of its lease.
    wait     INTEGER NOT NULL,
    -- When that is, for 0 since when; NULL while another message is the first.
    due      INTEGER,
    policy   INTEGER NOT NULL,
    timeout  INTEGER NOT NULL,
    resend   INTEGER NOT NULL,
    tries    INTEGER NOT NULL,
    body     BLOB NOT NULL,
    PRIMARY KEY (account, openid, place, id)
) WITHOUT ROWID;

CREATE INDEX outbox_due ON outbox (account, channel, wait, due, id);

-- 0 never queued, 1 in the outbox, 2 it has left it.
ALTER TABLE delivery ADD COLUMN outbox INTEGER NOT NULL DEFAULT 0;
-- Of a message in the outbox: when it is tried, when it is given up, and how many attempts may have delivered it.
ALTER TABLE delivery ADD COLUMN due INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN gives_up INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN unsure INTEGER NOT NULL DEFAULT 0;
-- Epochs below `counted` whose calls were not: a bit for each, by its remainder of 63.
ALTER TABLE delivery ADD COLUMN missed INTEGER NOT NULL DEFAULT 0;
-- The openid of a message in the outbox, where the row shows another.
ALTER TABLE delivery ADD COLUMN receiver TEXT;

CREATE TABLE sender (
    account  INTEGER PRIMARY KEY,
    version  TEXT NOT NULL,
    settings TEXT NOT NULL
);

CREATE TABLE leader (
    host  TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    lease INTEGER NOT NULL
) WITHOUT ROWID;
