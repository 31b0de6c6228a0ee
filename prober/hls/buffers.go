package hls

import (
	"math/bits"
	"sync"
)

const (
	smallBuffer = 64 << 10
	// maxIdle bounds the memory that no download uses: bytes.
	maxIdle = 4 << 20
)

// Buffers lends memory for downloads, and is shared by the followers of one
// process: what one has done with the next one takes, so that memory is needed
// for the downloads that run at once and not for every follower.
type Buffers struct {
	mu   sync.Mutex
	free map[int][][]byte // by class: smallBuffer << class bytes
	idle int
}

// NewBuffers makes an empty set.
func NewBuffers() *Buffers { return &Buffers{free: map[int][][]byte{}} }

func class(size int64) int { return bits.Len64(uint64(max(size-1, 0)) / smallBuffer) }

// get lends an empty buffer with room for size bytes.
func (b *Buffers) get(size int64) []byte {
	if size > maxIdle {
		return make([]byte, 0, size) // too much to be kept: it has no class
	}
	c := class(size)
	b.mu.Lock()
	defer b.mu.Unlock()
	if list := b.free[c]; len(list) > 0 {
		last := list[len(list)-1]
		list[len(list)-1], b.free[c] = nil, list[:len(list)-1]
		b.idle -= cap(last)
		return last
	}
	return make([]byte, 0, smallBuffer<<c)
}

// put takes a buffer back. Nothing of it may be used any more.
func (b *Buffers) put(buffer []byte) {
	size := cap(buffer)
	if size < smallBuffer || size&(size-1) != 0 {
		return // none of ours
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.idle+size > maxIdle {
		return
	}
	b.idle += size
	c := class(int64(size))
	b.free[c] = append(b.free[c], buffer[:0])
}

// grow gives a buffer of twice the room, and at most of most bytes, with the same
// content.
func (b *Buffers) grow(buffer []byte, most int64) []byte {
	larger := append(b.get(max(min(2*int64(cap(buffer)), most), int64(cap(buffer))+1)), buffer...)
	b.put(buffer)
	return larger
}
