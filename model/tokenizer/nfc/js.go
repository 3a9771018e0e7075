//go:build js

package nfc

import "syscall/js"

func normalize(s string) string {
	return js.Global().Get("String").New(s).Call("normalize", "NFC").String()
}
