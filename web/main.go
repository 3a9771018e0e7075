// Command web serves the built page, and packs under models/, on this machine.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/unmask-lm/unmask/web/site"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "web: error: %v\n", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	var addr, dist string
	var open bool
	c := &cobra.Command{
		Use:           "web",
		Short:         "serve the page on this machine",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(c *cobra.Command, _ []string) error { return serve(c.Context(), addr, dist, open) },
	}
	c.Flags().StringVar(&addr, "addr", "127.0.0.1:8080", "address to listen on; port 0 takes a free one")
	c.Flags().StringVar(&dist, "dist", "web/dist", "folder of the built page")
	c.Flags().BoolVar(&open, "open", false, "open a browser, where there is one")
	return c
}

func serve(ctx context.Context, addr, dist string, open bool) error {
	handler, err := site.Handler(dist, "models")
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	url := "http://" + listener.Addr().String() + "/"
	fmt.Printf("Unmask is at %s (Ctrl-C stops it)\n", url)
	if open {
		openBrowser(ctx, url)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// openers are the commands that open a URL, by operating system.
var openers = map[string][]string{
	"darwin":  {"open"},
	"windows": {"rundll32", "url.dll,FileProtocolHandler"},
	"linux":   {"xdg-open"},
}

// openBrowser opens the page where there is a display; where not, the printed address has to do.
func openBrowser(ctx context.Context, url string) {
	command := openers[runtime.GOOS]
	if len(command) == 0 || runtime.GOOS == "linux" && os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return
	}
	if err := exec.CommandContext(ctx, command[0], append(command[1:], url)...).Start(); err != nil {
		fmt.Fprintf(os.Stderr, "web: no browser opened: %v\n", err)
	}
}
