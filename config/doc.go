// Package config turns a hub's or an agent's file into validated domain values,
// or into every mistake in it at once. It must not know what is done with them.
package config
