CREATE TABLE invitation (
    secret TEXT PRIMARY KEY,
    municipality TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    used BIGINT
);
CREATE TABLE enrolment_count (
    municipality TEXT PRIMARY KEY,
    nodes BIGINT NOT NULL
);
CREATE TABLE node (
    node TEXT PRIMARY KEY,
    municipality TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'enrolled', 'refused', 'denied')),
    invitation TEXT NOT NULL UNIQUE REFERENCES invitation (secret),
    release_key {blob} NOT NULL,
    request_key {blob} NOT NULL,
    applied BIGINT NOT NULL,
    decided BIGINT,
    last_seen BIGINT,
    software TEXT
);
CREATE UNIQUE INDEX one_enrolled_node ON node (municipality) WHERE status = 'enrolled';
CREATE TABLE certificate (
    serial TEXT PRIMARY KEY,
    node TEXT NOT NULL REFERENCES node (node),
    public_key TEXT NOT NULL,
    certificate TEXT NOT NULL,
    issued BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX certificate_of_node ON certificate (node, expires);
CREATE TABLE study (
    digest TEXT PRIMARY KEY,
    study TEXT NOT NULL,
    version BIGINT NOT NULL,
    envelope {blob} NOT NULL,
    published BIGINT NOT NULL,
    UNIQUE (study, version)
);
CREATE TABLE decision (
    node TEXT NOT NULL REFERENCES node (node),
    study TEXT NOT NULL REFERENCES study (digest),
    digest TEXT NOT NULL,
    envelope {blob} NOT NULL,
    received BIGINT NOT NULL,
    PRIMARY KEY (node, study)
);
CREATE TABLE round (
    round TEXT PRIMARY KEY,
    study TEXT NOT NULL REFERENCES study (digest),
    envelope {blob} NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('open', 'closed')),
    closed BIGINT
);
CREATE TABLE release (
    release TEXT PRIMARY KEY,
    round TEXT NOT NULL REFERENCES round (round),
    node TEXT NOT NULL REFERENCES node (node),
    municipality TEXT NOT NULL,
    digest TEXT NOT NULL,
    envelope {blob} NOT NULL,
    received BIGINT NOT NULL,
    late BIGINT NOT NULL,
    UNIQUE (round, municipality)
);
CREATE TABLE publication (
    round TEXT NOT NULL REFERENCES round (round),
    version BIGINT NOT NULL,
    digest TEXT NOT NULL,
    document {blob} NOT NULL,
    bundle {blob} NOT NULL,
    summary TEXT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (round, version)
);
CREATE TABLE audit (
    sequence {serial},
    moment BIGINT NOT NULL,
    event TEXT NOT NULL,
    subject TEXT NOT NULL,
    alarm BIGINT NOT NULL
);
