// Package record describes work for a GPU as data, so that dispatches, bytes and arithmetic can be
// counted and tested without one.
package record

import (
	"fmt"
	"strings"
)

// BufferID names a buffer of the device that a Recording runs on.
type BufferID int

// Command is one dispatch of a kernel.
type Command struct {
	Kernel   string     // a name that was compiled on the device
	Bindings []BufferID // in the order of the kernel's @binding numbers
	Slot     int        // which of the passes in the first binding's buffer it belongs to
	Groups   [3]uint32  // workgroups
	Label    string     // what it computes, such as "blocks.0.qkv"
	Read     int64      // bytes of weights and activations that it must read at least once
	Written  int64      // bytes
	FLOPs    int64
}

// Cost is a measure of a command's duration: arithmetic, and bytes at four operations each.
func (c *Command) Cost() int64 { return c.FLOPs + 4*(c.Read+c.Written) + 1000 }

// Recording is a list of commands that run in order.
type Recording struct{ Commands []Command }

// Add appends a command.
func (r *Recording) Add(c Command) { r.Commands = append(r.Commands, c) }

// Totals adds up what the commands cost.
func (r *Recording) Totals() (dispatches int, read, written, flops int64) {
	for _, c := range r.Commands {
		read += c.Read
		written += c.Written
		flops += c.FLOPs
	}
	return len(r.Commands), read, written, flops
}

// Cost is that of all commands.
func (r *Recording) Cost() (cost int64) {
	for i := range r.Commands {
		cost += r.Commands[i].Cost()
	}
	return cost
}

// String prints a line a command.
func (r *Recording) String() string {
	var b strings.Builder
	for _, c := range r.Commands {
		fmt.Fprintf(&b, "%-18s %-12s %4d×%d×%d  read %d  written %d  flops %d\n",
			c.Label, c.Kernel, c.Groups[0], c.Groups[1], c.Groups[2], c.Read, c.Written, c.FLOPs)
	}
	return b.String()
}
