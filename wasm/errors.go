//go:build js

package main

import (
	"errors"

	"github.com/unmask-lm/unmask/gpu/device"
	"github.com/unmask-lm/unmask/runtime/protocol"
	"github.com/unmask-lm/unmask/runtime/session"
)

// integrityError is a pack that cannot be trusted.
type integrityError struct{ error }

func (e integrityError) Unwrap() error { return e.error }

func codeOf(err error) string {
	var request session.RequestError
	var integrity integrityError
	var stored storeError
	switch {
	case errors.As(err, &stored):
		return stored.code
	case errors.As(err, &request):
		return protocol.CodeRequest
	case errors.As(err, &integrity):
		return protocol.CodeIntegrity
	case errors.Is(err, device.ErrUnsupported):
		return protocol.CodeUnsupported
	case errors.Is(err, device.ErrOutOfMemory):
		return protocol.CodeOutOfMemory
	case errors.Is(err, device.ErrLost):
		return protocol.CodeDeviceLost
	}
	return protocol.CodeFailed
}
