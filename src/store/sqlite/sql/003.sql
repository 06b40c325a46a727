-- Texts that the processes of an account share.
CREATE TABLE note (
    account INTEGER NOT NULL,
    name    TEXT NOT NULL,
    version INTEGER NOT NULL,
    written INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    text    TEXT NOT NULL,
    PRIMARY KEY (account, name)
);

CREATE INDEX note_expires ON note (expires);

-- What a user answered lately: accepts that the other side, front end or push, has not told of yet.
CREATE TABLE recent_answer (
    template INTEGER NOT NULL,
    openid   TEXT NOT NULL,
    -- When the latest answer was given, and when it was told.
    answered INTEGER NOT NULL,
    told     INTEGER NOT NULL,
    -- Who told of the accepts: 0 the front end, 1 the push.
    pushed   INTEGER NOT NULL,
    -- When each of them was told, in order, separated by spaces.
    accepts  TEXT NOT NULL,
    expires  INTEGER NOT NULL,
    PRIMARY KEY (template, openid)
) WITHOUT ROWID;

CREATE INDEX recent_answer_expires ON recent_answer (expires);

-- What WeChat said of the message's arrival.
ALTER TABLE delivery ADD COLUMN receipt TEXT;
