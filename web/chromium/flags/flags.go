// Package flags holds how Chromium is started by tests and by the benchmark: headless, with WebGPU on
// SwiftShader, and silent on the network.
package flags

import "github.com/chromedp/chromedp"

// Options are the flags, for chromedp.NewExecAllocator.
func Options() []chromedp.ExecAllocatorOption {
	options := []chromedp.ExecAllocatorOption{chromedp.NoSandbox}
	for name, value := range map[string]any{
		"headless": true, "enable-unsafe-webgpu": true, "use-webgpu-adapter": "swiftshader",
		"disable-quic": true, "no-first-run": true, "disable-background-networking": true,
		"disable-component-update": true, "disable-sync": true, "disable-dev-shm-usage": true,
	} {
		options = append(options, chromedp.Flag(name, value))
	}
	return options
}
