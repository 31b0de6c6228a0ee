package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"streamcanary/prober/summary"

	"github.com/spf13/pflag"
)

// probeOutputs are the flags that say how a probe is told, and where.
type probeOutputs struct {
	plain  bool
	report string
	junit  string
	html   string
}

const standardOutput = "-"

func (o *probeOutputs) addOutputFlags(f *pflag.FlagSet) {
	f.BoolVar(&o.plain, "plain", false, "tell it line by line, where stdout is a terminal too")
	f.StringVar(&o.report, "report", "", "write a report for a ticket to this file, or to standard output (-)")
	f.StringVar(&o.junit, "junit", "", "write the result as JUnit XML to this file")
	f.StringVar(&o.html, "html", "", "write a page with charts, in one file, to this file")
}

// probeForm is one form in which a probe is written to a file.
type probeForm struct {
	flag, path string
	write      func(summary.Summary, io.Writer) error
}

func (o probeOutputs) forms() []probeForm {
	all := []probeForm{
		{"--report", o.report, summary.Summary.Text},
		{"--junit", o.junit, summary.Summary.JUnit},
		{"--html", o.html, summary.Summary.HTML},
	}
	return slices.DeleteFunc(all, func(f probeForm) bool { return f.path == "" || f.flag == "--report" && f.path == standardOutput })
}

// checkOutputs says what cannot be together.
func (o probeOutputs) checkOutputs(json bool) error {
	switch {
	case json && o.report == standardOutput:
		return usageErrorf("--json and --report - both write to standard output; name a file for the report")
	case o.junit == standardOutput || o.html == standardOutput:
		return usageErrorf("only --report writes to standard output; name a file for --junit and --html")
	}
	used := map[string]string{}
	for _, f := range o.forms() {
		if other, twice := used[filepath.Clean(f.path)]; twice {
			return usageErrorf("%s and %s name the same file %s; name two", other, f.flag, f.path)
		}
		used[filepath.Clean(f.path)] = f.flag
	}
	return nil
}

// probeFiles are the files that a probe's end is written to.
type probeFiles struct {
	forms []probeForm
	files []*outFile
}

// openFiles makes sure, before anything is probed, that every file can be written.
func (o probeOutputs) openFiles() (*probeFiles, error) {
	all := &probeFiles{forms: o.forms()}
	for _, form := range all.forms {
		f, err := openOut(form.path)
		if err != nil {
			all.discard()
			return nil, usageErrorf("%s %s cannot be written: %w; name a file in a folder that is there and that you may write to", form.flag, form.path, err)
		}
		all.files = append(all.files, f)
	}
	return all, nil
}

// write writes all of them, and tells of each that cannot be.
func (p *probeFiles) write(s summary.Summary) error {
	var failed []error
	for i, f := range p.files {
		form := p.forms[i]
		err := form.write(s, f)
		if err == nil {
			err = f.commit()
		}
		if err != nil {
			f.discard()
			failed = append(failed, fmt.Errorf("%s %s was not written: %w", form.flag, form.path, err))
		}
	}
	p.files = nil
	return errors.Join(failed...)
}

// discard leaves nothing of what was not written.
func (p *probeFiles) discard() {
	for _, f := range p.files {
		f.discard()
	}
	p.files = nil
}
