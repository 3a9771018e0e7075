package corpus

import (
	"runtime"
	"sync"
)

// parallel computes f(0) … f(n-1) on all processors and returns the results in order.
func parallel[T any](n int, f func(i int) T) []T {
	out := make([]T, n)
	var next sync.Mutex
	var wg sync.WaitGroup
	at := 0
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				next.Lock()
				i := at
				at++
				next.Unlock()
				if i >= n {
					return
				}
				out[i] = f(i)
			}
		})
	}
	wg.Wait()
	return out
}
