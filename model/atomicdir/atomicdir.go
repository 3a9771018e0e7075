// Package atomicdir writes a folder beside its destination and renames it into place, so that a
// crash, a full disk or an error never leaves half of it.
package atomicdir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Existing says what to do with a destination that is there already.
type Existing int

const (
	// Refuse leaves a destination that is not an empty folder alone and fails.
	Refuse Existing = iota
	// Replace swaps the new folder in for the old one.
	Replace
)

// Write calls fill with a new folder and moves it to path once fill and a flush to disk succeed. On
// error nothing is left behind, and an existing destination stays as it was.
func Write(path string, existing Existing, fill func(dir string) error) (err error) {
	path = filepath.Clean(path)
	if existing == Refuse {
		if err := checkEmpty(path); err != nil {
			return err
		}
	}
	tmp, err := os.MkdirTemp(filepath.Dir(path), "."+filepath.Base(path)+".new-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(tmp))
		}
	}()
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	if err := fill(tmp); err != nil {
		return err
	}
	if err := syncAll(tmp); err != nil {
		return err
	}
	return swap(tmp, path)
}

func checkEmpty(path string) error {
	entries, err := os.ReadDir(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("%s: exists and is not empty", path)
	}
	return err
}

// swap moves tmp to path, by way of a second name where path is taken: a folder cannot be renamed
// over one that is not empty.
func swap(tmp, path string) error {
	if err := os.Remove(path); err == nil || errors.Is(err, os.ErrNotExist) { // Remove spares a folder with files
		return os.Rename(tmp, path)
	}
	old := tmp + ".old"
	if err := os.Rename(path, old); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return errors.Join(err, os.Rename(old, path))
	}
	return os.RemoveAll(old)
}

func syncAll(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		f, err := os.Open(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	return nil
}
