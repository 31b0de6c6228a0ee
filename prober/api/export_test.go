package api

import "streamcanary/prober"

// Judge is judge, for the fuzz target.
func Judge(check prober.APICheck, status int, body []byte) *prober.Failure {
	return judge(check, status, body)
}
