package study

import (
	"encoding/binary"
	"hash/fnv"
	"slices"
	"strconv"
)

// Seed is what all that is drawn depends on.
type Seed uint64

// draw gives a number from 0 up to 1 that depends on the seed and on what it is drawn for, and on nothing
// else: not on what was drawn before, so one more property changes no other.
func (s Seed) draw(words ...string) float64 {
	h := fnv.New64a()
	var seed [8]byte
	binary.BigEndian.PutUint64(seed[:], uint64(s))
	h.Write(seed[:])
	for _, w := range words {
		h.Write([]byte(w))
		h.Write([]byte{0})
	}
	return float64(mixed(h.Sum64())>>11) / (1 << 53)
}

// mixed spreads FNV's last byte over all bits (the finalizer of SplitMix64, Steele et al. 2014).
func mixed(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// Share is one of several values, and how often it is drawn.
type Share[T any] struct {
	Value T
	Part  float64 // all parts of a list add up to 1
}

// pick draws one of several values by their parts.
func pick[T any](s Seed, of []Share[T], words ...string) T {
	at := s.draw(words...)
	for _, o := range of {
		if at -= o.Part; at < 0 {
			return o.Value
		}
	}
	return of[len(of)-1].Value
}

// some draws exactly n of the numbers from 0 to of-1.
func (s Seed) some(n, of int, what string) map[int]bool {
	order := make([]int, of)
	at := make([]float64, of)
	for i := range order {
		order[i], at[i] = i, s.draw(what, strconv.Itoa(i))
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if at[a] < at[b] {
			return -1
		}
		if at[a] > at[b] {
			return 1
		}
		return 0
	})
	chosen := map[int]bool{}
	for _, i := range order[:n] {
		chosen[i] = true
	}
	return chosen
}
