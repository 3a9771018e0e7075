//go:build !js

package sha256

import "crypto/sha256"

// Sum is the digest of data.
func Sum(data []byte) [Size]byte { return sha256.Sum256(data) }
