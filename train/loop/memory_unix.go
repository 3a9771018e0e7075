//go:build unix

package loop

import (
	"runtime"
	"syscall"
)

// peakMemory is the most memory that this process has had, in bytes.
func peakMemory() int64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" { // counts bytes, others kibibytes
		return int64(usage.Maxrss)
	}
	return int64(usage.Maxrss) << 10
}
