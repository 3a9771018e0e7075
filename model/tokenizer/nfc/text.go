//go:build !js

package nfc

import "golang.org/x/text/unicode/norm"

func normalize(s string) string { return norm.NFC.String(s) }
