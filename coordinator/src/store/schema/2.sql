CREATE TABLE witness (
    node TEXT NOT NULL REFERENCES node (node),
    number BIGINT NOT NULL,
    digest TEXT NOT NULL,
    statement TEXT NOT NULL,
    ledger_sequence BIGINT NOT NULL,
    ledger_head TEXT NOT NULL,
    envelope {blob} NOT NULL,
    witnessed BIGINT NOT NULL,
    PRIMARY KEY (node, number)
);
CREATE TABLE ledger_place (
    ledger TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    head TEXT NOT NULL,
    PRIMARY KEY (ledger, sequence)
);
CREATE TABLE ledger_link (
    ledger TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    release TEXT NOT NULL UNIQUE REFERENCES release (release),
    PRIMARY KEY (ledger, sequence)
);
