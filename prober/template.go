package prober

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The variables of an HTTPContract's paths and bodies.
const (
	VariableName     = "name"
	VariableID       = "id"
	VariableKey      = "key"
	VariablePlayback = "playback"
	VariableRecord   = "record"
	VariableNext     = "next" // of the call that lists
)

// aVariable is what looks like one: a body's JSON has braces of its own, but none
// that hold a single bare word.
var aVariable = regexp.MustCompile(`\{([A-Za-z_]+)\}`)

// Variables lists the variables of a path or body, each once.
func Variables(template string) []string {
	var names []string
	for _, m := range aVariable.FindAllStringSubmatch(template, -1) {
		if !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	return names
}

// ContractFault is what is wrong with the templates of an HTTPContract.
type ContractFault struct {
	At   string // where: "delete.path"
	Text string // what, and what to do
}

// Faults finds every variable of the calls that nothing would be put in for: a
// path that lacks a part is that of another thing, of all streams at worst.
func (h HTTPContract) Faults() []ContractFault {
	stream := []string{VariableName, VariableID, VariableKey, VariablePlayback}
	all := append(slices.Clone(stream), VariableRecord)
	faults := slices.Concat(h.Create.faults("create", all), h.Delete.faults("delete", all), h.Delete.ofOne("delete", stream))
	if h.Resolve != nil {
		faults = append(faults, h.Resolve.faults("resolve", all)...)
	}
	if h.Recording != nil {
		faults = slices.Concat(faults, h.Recording.faults("recording", all), h.Recording.ofOne("recording", stream))
	}
	if h.List != nil {
		faults = append(faults, h.listFaults()...)
	}
	return faults
}

// listFaults are those of the list, and of a delete that needs more than it gives.
func (h HTTPContract) listFaults() []ContractFault {
	if h.List.Next == "" {
		faults := h.List.faults("list", nil)
		return append(faults, h.sweepFaults()...)
	}
	faults := h.List.faults("list", []string{VariableNext})
	if h.List.Path != "" && !slices.Contains(Variables(h.List.Path+h.List.Body), VariableNext) {
		faults = append(faults, ContractFault{"list.next", "is given, but neither path nor body has {next}: every page would be the first; write it there"})
	}
	return append(faults, h.sweepFaults()...)
}

func (h HTTPContract) sweepFaults() []ContractFault {
	var faults []ContractFault
	for _, name := range Variables(h.Delete.Path + h.Delete.Body) {
		if name == VariableKey && h.List.Take.Key == "" && h.TakesKey() || name == VariablePlayback && h.List.Take.Playback == "" && h.TakesPlayback() {
			faults = append(faults, ContractFault{"list.take." + name, "is missing, and delete needs {" + name + "}; want its JSONPath in one item, such as $." + name})
		}
	}
	return faults
}

// TakesKey reports whether the API gives a stream's key; it is the name otherwise.
func (h HTTPContract) TakesKey() bool {
	return h.Create.Take.Key != "" || h.Resolve != nil && h.Resolve.Take.Key != ""
}

// TakesPlayback reports whether the API gives a stream's playback id; it is the
// name otherwise.
func (h HTTPContract) TakesPlayback() bool {
	return h.Create.Take.Playback != "" || h.Resolve != nil && h.Resolve.Take.Playback != ""
}

// faults are the variables of a call that are not among those that are known.
func (c HTTPCall) faults(at string, known []string) []ContractFault {
	var faults []ContractFault
	for _, t := range []struct{ key, text string }{{"path", c.Path}, {"body", c.Body}} {
		for _, name := range Variables(t.text) {
			if !slices.Contains(known, name) {
				text := fmt.Sprintf("has {%s}, for which nothing is put in here; want %s", name, variableNames(known))
				if t.key == "body" {
					text += "; where the braces are the body's own, write { " + name + " }"
				}
				faults = append(faults, ContractFault{at + "." + t.key, text})
			}
		}
	}
	if strings.ContainsAny(aVariable.ReplaceAllString(c.Path, ""), "{}") {
		faults = append(faults, ContractFault{at + ".path", "has braces that are no variable; want " + variableNames(known)})
	}
	return faults
}

// ofOne is the fault of a call that would be the same for every stream.
func (c HTTPCall) ofOne(at string, stream []string) []ContractFault {
	named := slices.ContainsFunc(Variables(c.Path+c.Body), func(name string) bool { return slices.Contains(stream, name) })
	if named || c.Path == "" {
		return nil
	}
	return []ContractFault{{at + ".path", "names no stream: it would be the same for every one; want " + variableNames(stream) + " in it or in the body"}}
}

func variableNames(names []string) string {
	switch len(names) {
	case 0:
		return "none, or list.next for {next}"
	case 1:
		return "{" + names[0] + "}"
	}
	last := len(names) - 1
	return "{" + strings.Join(names[:last], "}, {") + "} or {" + names[last] + "}"
}
