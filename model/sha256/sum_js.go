//go:build js

package sha256

// Sum is the digest of data.
func Sum(data []byte) [Size]byte { return sum(data) }
