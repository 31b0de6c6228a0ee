// Package store keeps what the hub must not lose: the cursor in the journal,
// the engine's state, its transitions, and what on-call has to be told, all
// moved by one transaction. It must not know what any of it means, or where it
// is sent.
package store
