// Package sha256 hashes what a pack holds. Natively it is crypto/sha256; in a browser it is the
// algorithm alone (FIPS 180-4), for crypto/sha256 brings every other algorithm of Go's FIPS module
// with it, a twentieth of the runtime.
package sha256

import "encoding/hex"

// Size of a digest, in bytes.
const Size = 32

// Hex is the digest of data in hexadecimal digits.
func Hex(data []byte) string {
	sum := Sum(data)
	return hex.EncodeToString(sum[:])
}
