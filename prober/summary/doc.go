// Package summary is what one probe saw, written for a person or a CI: text, JUnit
// XML, HTML. It must not know how it was probed, nor any network.
package summary
