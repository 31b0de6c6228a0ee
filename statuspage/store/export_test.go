package store

// PruneQueries are those that Prune runs again and again, each with two arguments.
func PruneQueries() []string {
	return []string{oldDeliveries, oldTransitions, oldRequests}
}
