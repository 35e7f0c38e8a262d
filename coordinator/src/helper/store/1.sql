CREATE TABLE participant (
    node TEXT PRIMARY KEY,
    municipality TEXT NOT NULL,
    release_key TEXT NOT NULL,
    admitted BIGINT NOT NULL
);
CREATE TABLE task (
    task TEXT PRIMARY KEY,
    round TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL,
    documents {blob} NOT NULL,
    acceptance {blob} NOT NULL,
    accepted BIGINT NOT NULL
);
CREATE TABLE job (
    task TEXT NOT NULL REFERENCES task (task),
    job BIGINT NOT NULL,
    body TEXT NOT NULL,
    answer {blob} NOT NULL,
    done BIGINT NOT NULL,
    PRIMARY KEY (task, job)
);
CREATE TABLE used_report (
    task TEXT NOT NULL REFERENCES task (task),
    municipality TEXT NOT NULL,
    report TEXT NOT NULL,
    PRIMARY KEY (task, municipality),
    UNIQUE (task, report)
);
CREATE TABLE batch (
    task TEXT NOT NULL REFERENCES task (task),
    batch BIGINT NOT NULL,
    reports BIGINT NOT NULL,
    checksum {blob} NOT NULL,
    half {blob} NOT NULL,
    opened BIGINT,
    answer {blob},
    PRIMARY KEY (task, batch)
);
CREATE TABLE audit (
    sequence {serial},
    moment BIGINT NOT NULL,
    event TEXT NOT NULL,
    subject TEXT NOT NULL,
    alarm BIGINT NOT NULL,
    actor TEXT NOT NULL DEFAULT ''
)
