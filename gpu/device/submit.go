package device

import (
	"context"
	"fmt"
	"time"

	"github.com/unmask-lm/unmask/gpu/record"
)

// longest is how long one submission should run at most. Systems kill a GPU's work after some seconds,
// and a page's own drawing waits for it.
const longest = 100 * time.Millisecond

// pace is what is known about the device's speed.
type pace struct {
	perSecond float64   // cost that it works off
	ended     time.Time // when the last work did that was waited for
}

// firstGuess holds until something was measured: a slow software adapter.
const firstGuess = 2e9

func (p *pace) budget() int64 {
	rate := p.perSecond
	if rate == 0 {
		rate = firstGuess
	}
	return int64(rate * longest.Seconds())
}

// learn takes in that work of a cost, submitted at a time, has ended now.
func (p *pace) learn(cost int64, submitted time.Time) {
	now := time.Now()
	if p.ended.After(submitted) {
		submitted = p.ended
	}
	p.ended = now
	took := now.Sub(submitted).Seconds()
	if cost == 0 || took <= 0 {
		return
	}
	rate := float64(cost) / took
	if p.perSecond != 0 {
		rate = 0.7*p.perSecond + 0.3*rate
	}
	p.perSecond = rate
}

// Fit is how often work of a cost fits into one submission; at least once.
func (d *Device) Fit(cost int64) int { return int(max(1, d.pace.budget()/max(1, cost))) }

// Pending is a readback under way.
type Pending struct {
	d         *Device
	staging   staging
	size      int64
	cost      int64
	submitted time.Time
}

// Submit queues commands, in as many submissions as their duration asks for, and then the readback of
// size bytes of a buffer from offset on. Where size is 0 there is nothing to wait for.
func (d *Device) Submit(commands []record.Command, from record.BufferID, offset, size int64) (*Pending, error) {
	if err := d.Err(); err != nil {
		return nil, err
	}
	p := &Pending{d: d, size: size, submitted: time.Now()}
	var err error
	if size > 0 {
		if p.staging, err = d.takeStaging(size); err != nil {
			return nil, err
		}
	}
	budget := d.pace.budget()
	var spent int64
	d.encoded = d.encoded[:0]
	for i := range commands {
		c := &commands[i]
		cost := c.Cost()
		if spent > 0 && spent+cost > budget {
			if err := d.platform.submit(d.encoded, nil, 0, nil, 0); err != nil {
				return nil, err
			}
			d.encoded, spent = d.encoded[:0], 0
		}
		e, err := d.encode(c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Label, err)
		}
		d.encoded, spent = append(d.encoded, e), spent+cost
		p.cost += cost
	}
	if size == 0 {
		return p, d.platform.submit(d.encoded, nil, 0, nil, 0)
	}
	return p, d.platform.submit(d.encoded, d.buffers[from], offset, p.staging.buffer, size)
}

func (d *Device) encode(c *record.Command) (encoded, error) {
	p := d.pipelines[c.Kernel]
	if p == nil {
		return encoded{}, fmt.Errorf("kernel %s is not compiled", c.Kernel)
	}
	g, err := d.bind(p, c)
	return encoded{pipe: p.pipe, group: g, dynamic: dynamic(p.kernel), offset: uint32(c.Slot * SlotSize), groups: c.Groups}, err
}

// takeStaging returns a buffer that the host can map; Wait gives it back.
func (d *Device) takeStaging(size int64) (staging, error) {
	for i, s := range d.staging {
		if s.size >= size {
			d.staging = append(d.staging[:i], d.staging[i+1:]...)
			return s, nil
		}
	}
	size = (size + 4095) &^ 4095
	d.made++
	b, err := d.platform.buffer("staging", size, readback)
	return staging{b, size}, err
}

// Wait returns the bytes read back once everything before has run. It waits for that even if ctx ends,
// and then returns ctx's error.
func (p *Pending) Wait(ctx context.Context) ([]byte, error) {
	if p.size == 0 {
		return nil, nil
	}
	data, err := p.d.platform.mapped(p.staging.buffer, p.size)
	if gone := p.d.Err(); gone != nil {
		return nil, gone
	}
	if err != nil {
		return nil, fmt.Errorf("%w: reading back: %w", ErrLost, err)
	}
	p.d.pace.learn(p.cost, p.submitted)
	p.d.staging = append(p.d.staging, p.staging)
	return data, ctx.Err()
}

// Run carries out a recording and reads size bytes of a buffer; none if size is 0.
func (d *Device) Run(ctx context.Context, r *record.Recording, from record.BufferID, size int64) ([]byte, error) {
	p, err := d.Submit(r.Commands, from, 0, size)
	if err != nil {
		return nil, err
	}
	return p.Wait(ctx)
}
