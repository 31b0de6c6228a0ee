// Package postmortem drafts what is written after an incident: Markdown of what was
// observed and done. It must not know a cause, nor how drafts are stored or published.
package postmortem
