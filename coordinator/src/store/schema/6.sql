CREATE TABLE lease (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until BIGINT NOT NULL
);
CREATE TABLE directory_file (
    name TEXT PRIMARY KEY,
    digest TEXT NOT NULL
);
CREATE TABLE sign_in_attempt (
    id {serial},
    place BIGINT NOT NULL,
    moment BIGINT NOT NULL
);
CREATE INDEX release_of_municipality ON release (municipality, round);
CREATE INDEX audit_alarm ON audit (event, subject) WHERE alarm <> 0;
CREATE INDEX report_waits ON report (task) WHERE state = 'waiting'
