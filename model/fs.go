package model

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Dir gives access to a pack in a folder on disk. Where the system can, large files are mapped into
// memory rather than read, so that several programs share one copy and the system may drop pages that
// it can read again. Change a pack by replacing its files, as convert does, never in place.
func Dir(path string) Files { return FS{os.DirFS(path)} }

// mapFrom is the size from which on a file is mapped.
const mapFrom = 1 << 20

// FS gives access to a pack in a file system, such as an embedded one.
type FS struct{ fs.FS }

// ReadFile implements Files.
func (f FS) ReadFile(_ context.Context, name string, limit int64) ([]byte, error) {
	file, err := f.Open(name)
	if err != nil {
		var pathError *fs.PathError
		if errors.As(err, &pathError) {
			err = pathError.Err
		}
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%d bytes, expected at most %d", info.Size(), limit)
	}
	if file, ok := file.(*os.File); ok && info.Size() >= mapFrom {
		if data, ok := mapFile(file, int(info.Size())); ok {
			return data, nil
		}
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(file, data); err != nil {
		return nil, err
	}
	return data, nil
}

// List implements Lister. Hidden files are left out: they are the file system's or the user's.
func (f FS) List() ([]string, error) {
	entries, err := fs.ReadDir(f.FS, ".")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.Name()[0] != '.' {
			names = append(names, e.Name())
		}
	}
	return names, nil
}
