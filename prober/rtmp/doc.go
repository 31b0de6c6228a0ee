// Package rtmp pushes a synthetic broadcast to an RTMP server and says exactly
// how the server failed it. It must not know what is in the broadcast, who
// decides about failures, or what is played back.
//
// It stands on go-rtmp's handshake and AMF0 encoder, over connections and chunks
// of its own: the library's client knows no deadlines, leaks goroutines and
// swallows onStatus, and its chunk streamer costs goroutines and several writes a
// message. All broadcasts of a process are sent by one Pacer.
//
// Every way in which a server misbehaves has a reason of its own. T is a
// timeout of Config, with its default:
//
//	stage    reason               how it is seen                                 within
//	resolve  name_not_resolved    the resolver says no, or nothing               ResolveTimeout, 5 s
//	connect  connection_refused   RST to the SYN                                 at once
//	connect  unreachable          no route, host or network unreachable          at once (as the network says so)
//	connect  connect_timeout      no answer to the SYN                           DialTimeout, 5 s
//	connect  tls_failed           rtmps: no TLS, wrong host, expired, unknown    at once; silence: HandshakeTimeout
//	                              authority, refused
//	connect  handshake_timeout    TCP accepted, S0 to S2 do not come             HandshakeTimeout, 5 s
//	connect  handshake_failed     the answer is not RTMP (HTTP, say), or breaks  at once
//	                              the chunk format
//	connect  connect_no_answer    connect is not answered                        CommandTimeout, 5 s
//	connect  connect_rejected     _error, NetConnection.Connect.Rejected         at once
//	publish  publish_no_answer    createStream or publish is not answered        CommandTimeout, 5 s each
//	publish  publish_name_in_use  onStatus NetStream.Publish.BadName, or what    at once
//	                              the description plainly says, here and below
//	publish  publish_denied       onStatus NetStream.Publish.Denied and the like at once
//	publish  publish_bad_key      the description says that the key is not valid at once
//	publish  publish_rejected     any other onStatus error, or _error            at once
//	publish  handshake_failed     what comes breaks the chunk format             at once
//	ingest   publish_...          the same errors, after Publish.Start: final    at once
//	                              even if the connection stays open
//	any      connection_closed    FIN; after Publish.Start also when what comes  at once
//	                              is not RTMP any more, and we close
//	any      connection_reset     RST, which is also what a server's kernel      at once
//	                              sends that closes with bytes unread
//	ingest   send_stalled         not a byte is taken for StallTimeout, 6 s; on  StallTimeout, after the buffers on
//	                              Linux, acknowledged                            the way are full: 10 s for 500 kbit/s
//	ingest   send_throttled       the broadcast is MaxLag, 5 s, behind real      MaxLag/(1-r) + StallTimeout/2 after
//	                              time, and bytes are taken StallTimeout/4       the buffers are full, for a server
//	                              after it was or later, be it in bursts         that takes the share r of the rate
//
// What is no failure is a finding: a redirect, which is followed once (redirected,
// note), another chunk size or window in mid-broadcast, which is obeyed
// (chunk_size_changed, window_changed, note), and with EveryAddress an address
// that fails while the broadcast runs at another (its own reason, degraded). Where no
// address of a family can be reached, IPv6's say, this machine may be without it: that
// is a note (unreachable), and it decides nothing where another address fails.
//
// On Linux a peer that has vanished without FIN or RST is seen by
// TCP_USER_TIMEOUT, elsewhere by the write deadline alone. A run that was
// cancelled is inconclusive; one whose own deadline passed has the reason of the
// step it waited in.
package rtmp
