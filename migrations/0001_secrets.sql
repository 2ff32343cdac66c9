-- One row for each path that ever held secrets. The row outlives its secrets, so that versions only rise.
CREATE TABLE secrets (
    path    TEXT   NOT NULL PRIMARY KEY,
    -- Of the newest value ever written here.
    version BIGINT NOT NULL,
    -- The envelope; NULL once destroyed.
    sealed  TEXT
);
