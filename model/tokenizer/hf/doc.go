//go:build !hf

// Package hf is empty without the build tag hf; see hf.go.
package hf
