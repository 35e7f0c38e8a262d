CREATE TABLE task (
    task TEXT PRIMARY KEY,
    round TEXT NOT NULL UNIQUE REFERENCES round (round),
    envelope {blob} NOT NULL,
    created BIGINT NOT NULL,
    acceptance {blob},
    accepted BIGINT
);
CREATE TABLE task_participant (
    task TEXT NOT NULL REFERENCES task (task),
    node TEXT NOT NULL,
    PRIMARY KEY (task, node)
);
CREATE INDEX task_participant_of ON task_participant (node);
CREATE TABLE batch (
    task TEXT NOT NULL REFERENCES task (task),
    batch BIGINT NOT NULL,
    accumulator {blob} NOT NULL,
    count BIGINT NOT NULL,
    checksum {blob} NOT NULL,
    claimed BIGINT,
    opened {blob},
    sums TEXT,
    PRIMARY KEY (task, batch),
    CHECK ((opened IS NULL) = (sums IS NULL)),
    CHECK (opened IS NULL OR claimed IS NOT NULL)
);
CREATE TABLE job (
    task TEXT NOT NULL REFERENCES task (task),
    job BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    request TEXT NOT NULL,
    made BIGINT NOT NULL,
    done BIGINT,
    PRIMARY KEY (task, job),
    FOREIGN KEY (task, batch) REFERENCES batch (task, batch)
);
CREATE TABLE report (
    release TEXT PRIMARY KEY,
    task TEXT NOT NULL REFERENCES task (task),
    node TEXT NOT NULL REFERENCES node (node),
    municipality TEXT NOT NULL,
    digest TEXT NOT NULL,
    envelope {blob} NOT NULL,
    received BIGINT NOT NULL,
    leader_share {blob},
    state TEXT NOT NULL CHECK (state IN ('waiting', 'verified', 'rejected')),
    reason TEXT,
    job BIGINT,
    UNIQUE (task, municipality),
    FOREIGN KEY (task, job) REFERENCES job (task, job),
    CHECK ((state = 'rejected') = (reason IS NOT NULL)),
    CHECK (state <> 'verified' OR job IS NOT NULL),
    CHECK ((state = 'waiting') = (leader_share IS NOT NULL))
);
CREATE INDEX report_of_job ON report (task, job, release)
