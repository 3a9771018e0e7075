package cpu

import "math"

// Rope rotates each head of x (T, D) by its position, in place: dimension j of a head is paired with
// j + head/2 and turned by position · base^(-2j/head). Row t stands at position first + t.
func Rope(x []float32, d, head, first int, base float64) {
	half := head / 2
	for t := range len(x) / d {
		for j := range half {
			angle := float64(first+t) * math.Pow(base, -2*float64(j)/float64(head))
			sin, cos := math.Sincos(angle)
			for h := t * d; h < (t+1)*d; h += head {
				a, b := float64(x[h+j]), float64(x[h+j+half])
				x[h+j] = float32(a*cos - b*sin)
				x[h+j+half] = float32(b*cos + a*sin)
			}
		}
	}
}
