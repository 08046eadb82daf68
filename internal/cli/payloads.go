package cli

import (
	"fmt"
	"io"
	"os"
	"path"
	"syscall"
)

// largestPayload bounds a live patch's file; real ones have some 100 KiB.
const largestPayload = 64 << 20

// payloadsFolder refuses what is no folder, before a canary has to find that out.
func payloadsFolder(dir string) error {
	if dir == "" {
		return nil
	}
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no folder", dir)
	}
	return err
}

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
		f, err := root.OpenFile(path.Base(path.Clean("/"+name)), os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe is refused below, not waited for
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
