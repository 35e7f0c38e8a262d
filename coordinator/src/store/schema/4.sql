ALTER TABLE audit ADD COLUMN actor TEXT NOT NULL DEFAULT '';
CREATE TABLE staff (
    id {serial},
    name TEXT NOT NULL,
    key TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('administrator', 'coordinator', 'auditor')),
    password TEXT,
    issuer TEXT,
    subject TEXT,
    added BIGINT NOT NULL,
    UNIQUE (issuer, subject),
    CHECK ((password IS NULL) <> (subject IS NULL)),
    CHECK ((issuer IS NULL) = (subject IS NULL))
);
CREATE TABLE staff_session (
    token TEXT PRIMARY KEY,
    staff BIGINT NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
    started BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    notice TEXT NOT NULL
);
CREATE INDEX staff_session_of ON staff_session (staff)
