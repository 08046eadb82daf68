package cli

import (
	"fmt"
	"io"
	"os"
	"path"
)

// largestPayload bounds a live patch's file; real ones have some 100 KiB.
const largestPayload = 64 << 20

// payloadsIn reads live patches from a folder. A target's name for a file counts by its last part
// alone, and what lies outside of the folder, behind a link too, is not reached.
func payloadsIn(dir string) func(name string) ([]byte, error) {
	if dir == "" {
		return nil
	}
	return func(name string) ([]byte, error) {
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, err
		}
		defer root.Close()
		f, err := root.Open(path.Base(path.Clean("/" + name)))
		if err != nil {
			return nil, err
		}
		defer f.Close()
		info, err := f.Stat()
		switch {
		case err != nil:
			return nil, err
		case !info.Mode().IsRegular():
			return nil, fmt.Errorf("%s in %s is no file", path.Base(name), dir)
		case info.Size() > largestPayload:
			return nil, fmt.Errorf("%s in %s has %d bytes, more than %d", path.Base(name), dir, info.Size(), largestPayload)
		}
		return io.ReadAll(io.LimitReader(f, largestPayload))
	}
}
