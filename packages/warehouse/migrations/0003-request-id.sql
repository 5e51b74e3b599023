-- The request that brought an event: from an answer, a proxy's log or a refusal to its rows, and back.
ALTER TABLE millrace_store.events ADD COLUMN request_id String CODEC(ZSTD(1)) AFTER channel;
ALTER TABLE millrace_store.rejected ADD COLUMN request_id String CODEC(ZSTD(1)) AFTER message_id;
