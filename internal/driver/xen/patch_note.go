package xen

import (
	"bytes"
	"debug/elf"
	"encoding/hex"
	"fmt"
)

// bound is what a payload says of itself in its ELF notes (Xen, docs/misc/livepatch.pandoc): build ids
// in hexadecimal.
type bound struct {
	xen     string // .livepatch.xen_depends: the hypervisor it was made for; empty in payloads of before Xen 4.13
	depends string // .livepatch.depends: what must be on top of the stack when it is applied
	own     string // .note.gnu.build-id
}

// hypervisor is the build that the payload binds to; empty when it is stacked and does not say.
func (b bound) hypervisor(stacked bool) string {
	if b.xen == "" && !stacked {
		return b.depends
	}
	return b.xen
}

// readBound reads a payload. A payload without .livepatch.depends would be refused by every Xen.
func readBound(payload []byte) (b bound, err error) {
	f, err := elf.NewFile(bytes.NewReader(payload))
	if err != nil {
		return b, fmt.Errorf("it is no whole ELF file: %w", err)
	}
	defer f.Close()
	if f.Type != elf.ET_REL {
		return b, fmt.Errorf("it is an ELF file of type %s, expected a relocatable one", f.Type)
	}
	for _, want := range []struct {
		section string
		into    *string
	}{{".livepatch.xen_depends", &b.xen}, {".livepatch.depends", &b.depends}, {".note.gnu.build-id", &b.own}} {
		if s := f.Section(want.section); s != nil {
			if *want.into, err = readNote(f, s); err != nil {
				return b, fmt.Errorf("section %s: %w", want.section, err)
			}
		}
	}
	if b.depends == "" {
		return b, fmt.Errorf("it has no section .livepatch.depends")
	}
	return b, nil
}

// noteBuildID is NT_GNU_BUILD_ID of elf(5).
const noteBuildID = 3

// readNote gives the build id of a note section: name size, description size, type, name, description.
func readNote(f *elf.File, s *elf.Section) (string, error) {
	if s.Type == elf.SHT_NOBITS {
		return "", fmt.Errorf("it has no content")
	}
	data, err := s.Data()
	switch {
	case err != nil:
		return "", err
	case len(data) < 12:
		return "", fmt.Errorf("a note of %d bytes, expected 12 or more", len(data))
	}
	name, size, kind := f.ByteOrder.Uint32(data), f.ByteOrder.Uint32(data[4:]), f.ByteOrder.Uint32(data[8:])
	from := 12 + (uint64(name)+3)/4*4
	switch end := from + uint64(size); {
	case kind != noteBuildID || name != 4 || !bytes.HasPrefix(data[12:], []byte("GNU\x00")):
		return "", fmt.Errorf("a note of type %d, expected a build id of GNU", kind)
	case size == 0 || end > uint64(len(data)):
		return "", fmt.Errorf("a build id of %d bytes in a note of %d", size, len(data))
	default:
		return hex.EncodeToString(data[from:end]), nil
	}
}
