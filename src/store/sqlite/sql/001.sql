-- Accounts and templates are numbers everywhere else, so that a ledger of millions of users stays small.
CREATE TABLE account (
    id    INTEGER PRIMARY KEY,
    appid TEXT NOT NULL UNIQUE
);

CREATE TABLE template (
    id       INTEGER PRIMARY KEY,
    account  INTEGER NOT NULL,
    name     TEXT NOT NULL,
    -- Whether any accept of it was ever recorded.
    reported INTEGER NOT NULL DEFAULT 0,
    UNIQUE (account, name)
);

CREATE TABLE ledger (
    template  INTEGER NOT NULL,
    openid    TEXT NOT NULL,
    accepted  INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0,
    reserved  INTEGER NOT NULL DEFAULT 0,
    lost      INTEGER NOT NULL DEFAULT 0,
    -- Accepts that were reported; `accepted` holds those that a delivery proved, too.
    reports   INTEGER NOT NULL DEFAULT 0,
    -- 0 accept, 1 reject, 2 ban, 3 filter.
    choice    INTEGER,
    long_term INTEGER NOT NULL DEFAULT 0,
    refused   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (template, openid)
) WITHOUT ROWID;

CREATE INDEX ledger_reachable ON ledger (template, openid)
    WHERE accepted - delivered - reserved - lost > 0 OR (long_term AND choice = 0 AND NOT refused);

-- Apart from the deliveries, which may hold a hash in place of the openid and which expire.
CREATE TABLE reservation (
    id       BLOB NOT NULL,
    epoch    INTEGER NOT NULL,
    template INTEGER NOT NULL,
    openid   TEXT NOT NULL,
    -- When the message's lease is over; 0 once it is kept because nobody knows the outcome.
    lapses   INTEGER NOT NULL,
    PRIMARY KEY (id, epoch)
) WITHOUT ROWID;

CREATE INDEX reservation_user ON reservation (template, openid);

CREATE TABLE delivery (
    account     INTEGER NOT NULL,
    id          BLOB NOT NULL,
    epoch       INTEGER NOT NULL,
    -- The id with which `begin` was called, so that the call can be repeated; a row opened again keeps its own id.
    call        BLOB NOT NULL,
    owner       TEXT NOT NULL,
    template    INTEGER NOT NULL,
    openid      TEXT NOT NULL,
    channel     INTEGER NOT NULL,
    key         TEXT,
    state       INTEGER NOT NULL,
    last_word   INTEGER NOT NULL,
    lease       INTEGER NOT NULL,
    taken       INTEGER NOT NULL,
    seen        INTEGER NOT NULL,
    -- The latest epoch whose calls were counted.
    counted     INTEGER NOT NULL,
    errcode     INTEGER,
    errmsg      TEXT NOT NULL,
    from_wechat INTEGER NOT NULL,
    msgid       TEXT,
    rid         TEXT,
    attempts    INTEGER NOT NULL,
    changed     TEXT,
    payload     TEXT,
    begun       INTEGER NOT NULL,
    finished    INTEGER,
    expires     INTEGER NOT NULL,
    PRIMARY KEY (account, id)
) WITHOUT ROWID;

CREATE UNIQUE INDEX delivery_key ON delivery (account, key) WHERE key IS NOT NULL;
CREATE INDEX delivery_openid ON delivery (account, openid, id);
CREATE INDEX delivery_expires ON delivery (expires);

CREATE TABLE report_token (
    account INTEGER NOT NULL,
    token   TEXT NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (account, token)
) WITHOUT ROWID;

CREATE INDEX report_token_expires ON report_token (expires);

CREATE TABLE token (
    account     TEXT PRIMARY KEY,
    token       TEXT,
    fence       INTEGER NOT NULL DEFAULT 0,
    fetched     INTEGER NOT NULL DEFAULT 0,
    again       INTEGER NOT NULL DEFAULT 0,
    renew       INTEGER NOT NULL DEFAULT 0,
    ends        INTEGER NOT NULL DEFAULT 0,
    owner       TEXT,
    lease_fence INTEGER NOT NULL DEFAULT 0,
    lease       INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE refusal (
    account TEXT PRIMARY KEY,
    errcode INTEGER NOT NULL,
    errmsg  TEXT NOT NULL,
    stands  INTEGER NOT NULL
) WITHOUT ROWID;

-- The day comes first, so that the oldest rows are the first ones.
CREATE TABLE calls (
    day     INTEGER NOT NULL,
    account INTEGER NOT NULL,
    api     TEXT NOT NULL,
    calls   INTEGER NOT NULL,
    PRIMARY KEY (day, account, api)
) WITHOUT ROWID;

CREATE TABLE pause (
    account INTEGER NOT NULL,
    api     TEXT NOT NULL,
    errcode INTEGER NOT NULL,
    ends    INTEGER NOT NULL,
    PRIMARY KEY (account, api)
) WITHOUT ROWID;
