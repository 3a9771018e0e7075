//go:build unix

package model

import (
	"os"
	"syscall"
)

// mapFile maps a file for reading. The mapping lasts as long as the program: tensors point into it.
func mapFile(f *os.File, size int) ([]byte, bool) {
	data, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED)
	return data, err == nil
}
