// Package incident is the engine: it folds the journal (results, ticks, changes,
// people's commands, maintenances, configuration) into incidents and component
// statuses. It is pure: it must not know a clock, a logger, a context, randomness,
// storage or a transport.
package incident
