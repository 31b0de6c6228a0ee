package origin

import "net/http"

// noted notes whether anything was answered.
type noted struct {
	http.ResponseWriter
	written bool
}

func (n *noted) WriteHeader(status int) {
	n.written = true
	n.ResponseWriter.WriteHeader(status)
}

func (n *noted) Write(b []byte) (int, error) {
	n.written = true
	return n.ResponseWriter.Write(b)
}

// recorded is an answer kept instead of sent.
type recorded struct {
	status int
	header http.Header
	body   []byte
}

func newRecorded() *recorded {
	return &recorded{status: http.StatusOK, header: make(http.Header)}
}

func (r *recorded) Header() http.Header    { return r.header }
func (r *recorded) WriteHeader(status int) { r.status = status }
func (r *recorded) Write(b []byte) (int, error) {
	r.body = append(r.body, b...)
	return len(b), nil
}

// send answers with what was kept.
func (r *recorded) send(w http.ResponseWriter) {
	for key, values := range r.header {
		w.Header()[key] = values
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body) // the client is gone: nothing to tell it
}
