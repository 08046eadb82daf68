package ganeti

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/evenkeel/evenkeel/internal/form"
)

// policy checks one instance policy. It says which sizes new instances may have, which nothing here asks,
// so its line is kept as it is.
func (p *parser) policy(r *row) {
	p.cluster.Policies = append(p.cluster.Policies, strings.Join(r.cells, "|"))
	if !r.atLeast(6, "owner|standard sizes|least and largest sizes|disk templates|vcpu ratio|spindle ratio") {
		return
	}
	if owner, n := r.take(); owner != "" && !p.groupNames[owner] && !p.torn {
		r.wrong(n, "owner", "the unknown node group "+form.Quote(owner), "nothing, for the cluster, or the name of one of the node groups above")
	}
	standard, n := r.take()
	r.sizes(n, "standard sizes", 0, standard)
	r.pairs()
	for _, template := range r.list("disk templates") {
		if !slices.Contains(templates, template) {
			r.wrong(r.next-1, "disk templates", form.Quote(template), "some of "+strings.Join(templates, ", "))
		}
	}
	r.number("vcpu ratio")
	r.number("spindle ratio")
}

// pairs reads least;largest, once or more often.
func (r *row) pairs() {
	text, n := r.take()
	if text == "" {
		return
	}
	sizes := strings.Split(text, ";")
	if len(sizes)%2 != 0 {
		r.wrong(n, "least and largest sizes", fmt.Sprintf("%d sizes", len(sizes)), "an even number of them: least;largest, once or more often")
	}
	offset := 0
	for _, s := range sizes {
		r.sizes(n, "least and largest sizes", offset, s)
		offset += utf8.RuneCountInString(s) + 1
	}
}

// sizes reads memory, cores, disk, disks, NICs and spindles, offset characters into a cell.
func (r *row) sizes(cell int, name string, offset int, text string) {
	numbers := strings.Split(text, ",")
	wrong := func(at int, found, expected string) {
		r.p.wrong(r.line, r.columns[cell]+offset+at, r.path+"."+strings.ReplaceAll(name, " ", "_"), found, expected)
	}
	if len(numbers) < 6 {
		wrong(0, form.Quote(text), "6 numbers with commas between them: memory, cores, disk size, disks, NICs, spindle use")
		return
	}
	at := 0
	for _, number := range numbers[:6] {
		if v, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64); err != nil || v < 0 {
			wrong(at, form.Quote(number), "a whole number from 0")
		}
		at += utf8.RuneCountInString(number) + 1
	}
}
