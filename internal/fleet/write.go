package fleet

import (
	"encoding/json"
	"io"
	"time"

	"github.com/evenkeel/evenkeel/internal/form"
)

// Write writes the YAML form, such that Parse gives the same fleet again. Things keep their order;
// keys come in the order of the types.
func Write(w io.Writer, f *Fleet) error {
	_, err := w.Write(form.Encode(f))
	return err
}

// fleetHead is what the JSON Lines form says in its line of kind fleet.
type fleetHead struct {
	Evenkeel string    `yaml:"evenkeel" json:"evenkeel" form:"enum=fleet/v1"`
	Taken    time.Time `yaml:"taken,omitempty" json:"taken,omitzero"`
}

// WriteJSONL writes the JSON Lines form, such that ParseJSONL gives the same fleet again.
func WriteJSONL(w io.Writer, f *Fleet) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	err := out.Encode(struct {
		Kind string `json:"kind"`
		fleetHead
	}{"fleet", fleetHead{f.Evenkeel, f.Taken}})
	for _, write := range []func() error{
		func() error { return writeLines(out, "region", f.Regions) },
		func() error { return writeLines(out, "site", f.Sites) },
		func() error { return writeLines(out, "pool", f.Pools) },
		func() error { return writeLines(out, "host_group", f.HostGroups) },
		func() error { return writeLines(out, "link", f.Links) },
		func() error { return writeLines(out, "tenant", f.Tenants) },
		func() error { return writeLines(out, "group", f.Groups) },
		func() error { return writeLines(out, "host", f.Hosts) },
		func() error { return writeLines(out, "instance", f.Instances) },
	} {
		if err == nil {
			err = write()
		}
	}
	return err
}

func writeLines[T any](out *json.Encoder, kind string, list []T) error {
	head, err := json.Marshal(map[string]string{"kind": kind})
	if err != nil {
		return err
	}
	for n := range list {
		body, err := json.Marshal(&list[n])
		if err != nil {
			return err
		}
		// {"kind":"host"} and {"id":...} become one object; each has an id, so neither is empty.
		line := append(head[:len(head)-1:len(head)-1], ',')
		if err := out.Encode(json.RawMessage(append(line, body[1:]...))); err != nil {
			return err
		}
	}
	return nil
}
