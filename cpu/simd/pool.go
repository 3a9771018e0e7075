package simd

import "sync"

// pool runs the parts of an operation on several goroutines. Its tasks are methods that exist before
// the first pass, so that running one allocates nothing.
type pool struct {
	workers int
	task    func(worker int)
	start   []chan struct{}
	done    sync.WaitGroup
}

// newPool starts workers-1 goroutines; the caller of run is the first worker.
func newPool(workers int) *pool {
	p := &pool{workers: workers}
	for w := 1; w < workers; w++ {
		start := make(chan struct{}, 1)
		p.start = append(p.start, start)
		go func() {
			for range start {
				p.task(w)
				p.done.Done()
			}
		}()
	}
	return p
}

// run has every worker do its part of a task and returns when all have.
func (p *pool) run(task func(worker int)) {
	p.task = task
	p.done.Add(len(p.start))
	for _, start := range p.start {
		start <- struct{}{}
	}
	task(0)
	p.done.Wait()
}

// close ends the goroutines.
func (p *pool) close() {
	for _, start := range p.start {
		close(start)
	}
	p.start = nil
}

// share is the range of n things, in steps, that belongs to a worker.
func (p *pool) share(n, step, worker int) (first, last int) {
	steps := (n + step - 1) / step
	return min(n, steps*worker/p.workers*step), min(n, steps*(worker+1)/p.workers*step)
}
