package prober

import "log/slog"

// Secret is a stream key or token. Every way of printing it shows a placeholder;
// only Reveal and JSON (the wire to the agent that needs it) give the value.
type Secret string

const concealed = "[secret]"

// Reveal gives the value to the code that must send it.
func (s Secret) Reveal() string { return string(s) }

// String conceals the value from %s and %v.
func (s Secret) String() string { return concealed }

// GoString conceals the value from %#v.
func (s Secret) GoString() string { return concealed }

// LogValue conceals the value from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(concealed) }
