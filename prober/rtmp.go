package prober

// RTMP is how an ingest is spoken to, beyond its URL.
type RTMP struct {
	User         string     `json:"user,omitempty"`     // for a server that asks for it as Adobe's do
	Password     Secret     `json:"password,omitempty"` // of User
	CA           string     `json:"ca,omitempty"`       // certificates in PEM that rtmps is verified against, instead of the system's authorities
	Enhanced     bool       `json:"enhanced,omitempty"` // connect says what enhanced RTMP v2 asks of a client
	EveryAddress bool       `json:"every_address,omitempty"`
	Timestamps   Timestamps `json:"timestamps,omitempty"` // "" is TimestampsRestart
}

// Timestamps says what becomes of a broadcast's RTMP timestamps when it has to
// connect again.
type Timestamps string

// The ways.
const (
	TimestampsRestart Timestamps = "restart" // each connection begins with zero, as most encoders do
	TimestampsRunOn   Timestamps = "run_on"  // they are the time since the broadcast first began
)
