-- What is forgotten is found by its age, and what keeps it by what it refers to.

-- +goose Up
CREATE INDEX transitions_at ON transitions (at, n);
CREATE INDEX transitions_requests ON transitions (at, n) WHERE type = 'probe_requested';
CREATE INDEX deliveries_delivered ON deliveries (delivered_at, n) WHERE delivered_at IS NOT NULL;
CREATE INDEX deliveries_event ON deliveries (event_id);
