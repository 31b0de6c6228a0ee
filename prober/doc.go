// Package prober holds the words that every part of the prober shares: targets
// and their elements, probes and their kinds, stages, reasons, outcomes, results
// and the marker that every pushed frame carries. It is a leaf: it must not know
// how anything is pushed, pulled, scheduled, transported or decided.
package prober
