//go:build js

package nfc

import "syscall/js"

func normalize(s string) string { return js.ValueOf(s).Call("normalize", "NFC").String() }
