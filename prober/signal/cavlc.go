package signal

func (w *bitWriter) code(c vlc) { w.u(uint(c.n), uint32(c.bits)) }

// residual writes a block of coefficients in scan order (7.3.5.3.2): 16 of luma
// DC, or 4 of chroma DC.
func (c *codebook) residual(w *bitWriter, coeffs []int32) {
	var levels, runs [16]int32 // from the highest frequency down
	total, zeros, run := 0, int32(0), int32(0)
	for i := len(coeffs) - 1; i >= 0; i-- {
		switch {
		case coeffs[i] != 0:
			levels[total] = coeffs[i]
			total++
			run = 0
		case total > 0:
			run++
			zeros++
			runs[total-1] = run //nolint:gosec // total is 1 to 16 here
		}
	}
	ones := 0
	for ones < total && ones < 3 && (levels[ones] == 1 || levels[ones] == -1) {
		ones++
	}
	chroma := len(coeffs) == 4
	if chroma {
		w.code(c.chromaToken[total][ones])
	} else {
		w.code(c.coeffToken[total][ones])
	}
	if total == 0 {
		return
	}
	w.levels(levels[:total], ones)
	switch {
	case total == len(coeffs):
	case chroma:
		w.code(c.chromaZeros[total-1][zeros])
	default:
		w.code(c.totalZeros[total-1][zeros])
	}
	for i := 0; i < total-1 && zeros > 0; i++ {
		w.code(c.runBefore[min(zeros, 7)-1][runs[i]])
		zeros -= runs[i]
	}
}

// levels writes trailing ones and levels (9.2.2.1, turned around).
func (w *bitWriter) levels(levels []int32, ones int) {
	for _, l := range levels[:ones] {
		w.u(1, uint32(l)>>31) //nolint:gosec // the sign bit
	}
	suffix := uint(0)
	if len(levels) > 10 && ones < 3 {
		suffix = 1
	}
	for i, l := range levels[ones:] {
		code := 2*l - 2
		if l < 0 {
			l = -l
			code = 2*l - 1
		}
		if i == 0 && ones < 3 {
			code -= 2
		}
		w.level(uint32(code), suffix) //nolint:gosec // not negative: a first level of 1 would have been a trailing one
		if suffix == 0 {
			suffix = 1
		}
		if l > 3<<(suffix-1) && suffix < 6 {
			suffix++
		}
	}
}

// level writes level_prefix and level_suffix. The escape of 12 bits is enough:
// no level exceeds 255 here.
func (w *bitWriter) level(code uint32, suffix uint) {
	switch {
	case suffix == 0 && code < 14:
		w.u(uint(code)+1, 1)
	case suffix == 0 && code < 30:
		w.u(15, 1)
		w.u(4, code-14)
	case suffix == 0:
		w.u(16, 1)
		w.u(12, code-30)
	case code < 15<<suffix:
		w.u(uint(code>>suffix)+1, 1)
		w.u(suffix, code&(1<<suffix-1))
	default:
		w.u(16, 1)
		w.u(12, code-15<<suffix)
	}
}
