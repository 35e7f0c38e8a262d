CREATE TABLE presentation (
    round TEXT NOT NULL,
    version BIGINT NOT NULL,
    digest TEXT NOT NULL,
    document {blob} NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (round, version),
    FOREIGN KEY (round, version) REFERENCES publication (round, version)
);
CREATE TABLE presented_table (
    id TEXT NOT NULL,
    round TEXT NOT NULL,
    version BIGINT NOT NULL,
    period TEXT NOT NULL,
    published BIGINT NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (id, round, version),
    FOREIGN KEY (round, version) REFERENCES presentation (round, version)
);
CREATE INDEX presented_table_of_round ON presented_table (round, version);
CREATE TABLE saved_query (
    id TEXT PRIMARY KEY,
    query TEXT NOT NULL,
    created BIGINT NOT NULL
)
