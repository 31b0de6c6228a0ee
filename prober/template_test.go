package prober_test

import (
	"slices"
	"testing"

	"streamcanary/prober"
)

// Each row changes one thing of a contract without a fault.
func TestContractFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*prober.HTTPContract)
		want   []string // where
	}{
		"none":               {func(*prober.HTTPContract) {}, nil},
		"every variable":     {func(h *prober.HTTPContract) { h.Delete.Path = "/{name}/{id}?{record}" }, nil},
		"in the body":        {func(h *prober.HTTPContract) { h.Delete.Path, h.Delete.Body = "/delete", `{"id": "{id}"}` }, nil},
		"JSON's own braces":  {func(h *prober.HTTPContract) { h.Create.Body = `{"a": {"b": {}}, "query": "{ id }"}` }, nil},
		"unknown":            {func(h *prober.HTTPContract) { h.Create.Body = `{"name": "{uid}"}` }, []string{"create.body"}},
		"upper case":         {func(h *prober.HTTPContract) { h.Resolve.Path = "/{ID}" }, []string{"resolve.path"}},
		"braces in a path":   {func(h *prober.HTTPContract) { h.Create.Path = "/{ name }" }, []string{"create.path"}},
		"next of a delete":   {func(h *prober.HTTPContract) { h.Delete.Path = "/{id}/{next}" }, []string{"delete.path"}},
		"delete of all":      {func(h *prober.HTTPContract) { h.Delete.Path = "/streams/" }, []string{"delete.path"}},
		"delete of record":   {func(h *prober.HTTPContract) { h.Delete.Path = "/streams/{record}" }, []string{"delete.path"}},
		"recording of all":   {func(h *prober.HTTPContract) { h.Recording.Path = "/recording" }, []string{"recording.path"}},
		"id of a list":       {func(h *prober.HTTPContract) { h.List.Path = "/{id}?{next}" }, []string{"list.path"}},
		"next without next":  {func(h *prober.HTTPContract) { h.List.Next = "" }, []string{"list.path"}},
		"endless first page": {func(h *prober.HTTPContract) { h.List.Path = "/" }, []string{"list.next"}},
		"key of a sweep":     {func(h *prober.HTTPContract) { h.Delete.Path = "/{key}" }, []string{"list.take.key"}},
		"key of the list": {func(h *prober.HTTPContract) {
			h.Delete.Path, h.List.Take.Key = "/{key}", "$.key"
		}, nil},
		"key without a list": {func(h *prober.HTTPContract) { h.Delete.Path, h.List = "/{key}", nil }, nil},
		"key is the name": {func(h *prober.HTTPContract) {
			h.Delete.Path, h.Create.Take.Key = "/{key}", ""
		}, nil},
		"playback of a sweep": {func(h *prober.HTTPContract) { h.Delete.Path = "/{playback}" }, []string{"list.take.playback"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := prober.HTTPContract{
				Create:    prober.HTTPCall{Path: "/", Body: `{"name": "{name}", "record": {record}}`, Take: prober.Take{ID: "$.id", Key: "$.key"}},
				Resolve:   &prober.HTTPCall{Path: "/{id}", Take: prober.Take{Playback: "$.playback"}},
				Delete:    prober.HTTPCall{Path: "/{id}"},
				List:      &prober.HTTPList{HTTPCall: prober.HTTPCall{Path: "/?after={next}", Take: prober.Take{ID: "$.id", Name: "$.name"}}, Next: "$.next"},
				Recording: &prober.HTTPCall{Path: "/{id}/recording"},
			}
			test.change(&h)
			var got []string
			for _, f := range h.Faults() {
				got = append(got, f.At)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("faults %v, want %v", h.Faults(), test.want)
			}
		})
	}
}
