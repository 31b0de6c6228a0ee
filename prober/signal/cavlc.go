package signal

// vlc is a variable-length code: its length in bits and its value.
type vlc struct {
	n    uint8
	bits uint8
}

// coeffToken is Table 9-5 for 0 <= nC < 2, by coefficients and trailing ones.
// No other column is needed: only DC coefficients are ever coded, and those do
// not count as neighbours (9.2.1), so nC is always 0.
var coeffToken = [17][4]vlc{
	{{1, 1}},
	{{6, 5}, {2, 1}},
	{{8, 7}, {6, 4}, {3, 1}},
	{{9, 7}, {8, 6}, {7, 5}, {5, 3}},
	{{10, 7}, {9, 6}, {8, 5}, {6, 3}},
	{{11, 7}, {10, 6}, {9, 5}, {7, 4}},
	{{13, 15}, {11, 6}, {10, 5}, {8, 4}},
	{{13, 11}, {13, 14}, {11, 5}, {9, 4}},
	{{13, 8}, {13, 10}, {13, 13}, {10, 4}},
	{{14, 15}, {14, 14}, {13, 9}, {11, 4}},
	{{14, 11}, {14, 10}, {14, 13}, {13, 12}},
	{{15, 15}, {15, 14}, {14, 9}, {14, 12}},
	{{15, 11}, {15, 10}, {15, 13}, {14, 8}},
	{{16, 15}, {15, 1}, {15, 9}, {15, 12}},
	{{16, 11}, {16, 14}, {16, 13}, {15, 8}},
	{{16, 7}, {16, 10}, {16, 9}, {16, 12}},
	{{16, 4}, {16, 6}, {16, 5}, {16, 8}},
}

// chromaToken is Table 9-5 for nC = -1 (chroma DC).
var chromaToken = [5][4]vlc{
	{{2, 1}},
	{{6, 7}, {1, 1}},
	{{6, 4}, {6, 6}, {3, 1}},
	{{6, 3}, {7, 3}, {7, 2}, {6, 5}},
	{{6, 2}, {8, 3}, {8, 2}, {7, 0}},
}

// totalZeros is Tables 9-7 and 9-8, by coefficients - 1 and zeros.
var totalZeros = [15][16]vlc{
	{{1, 1}, {3, 3}, {3, 2}, {4, 3}, {4, 2}, {5, 3}, {5, 2}, {6, 3}, {6, 2}, {7, 3}, {7, 2}, {8, 3}, {8, 2}, {9, 3}, {9, 2}, {9, 1}},
	{{3, 7}, {3, 6}, {3, 5}, {3, 4}, {3, 3}, {4, 5}, {4, 4}, {4, 3}, {4, 2}, {5, 3}, {5, 2}, {6, 3}, {6, 2}, {6, 1}, {6, 0}},
	{{4, 5}, {3, 7}, {3, 6}, {3, 5}, {4, 4}, {4, 3}, {3, 4}, {3, 3}, {4, 2}, {5, 3}, {5, 2}, {6, 1}, {5, 1}, {6, 0}},
	{{5, 3}, {3, 7}, {4, 5}, {4, 4}, {3, 6}, {3, 5}, {3, 4}, {4, 3}, {3, 3}, {4, 2}, {5, 2}, {5, 1}, {5, 0}},
	{{4, 5}, {4, 4}, {4, 3}, {3, 7}, {3, 6}, {3, 5}, {3, 4}, {3, 3}, {4, 2}, {5, 1}, {4, 1}, {5, 0}},
	{{6, 1}, {5, 1}, {3, 7}, {3, 6}, {3, 5}, {3, 4}, {3, 3}, {3, 2}, {4, 1}, {3, 1}, {6, 0}},
	{{6, 1}, {5, 1}, {3, 5}, {3, 4}, {3, 3}, {2, 3}, {3, 2}, {4, 1}, {3, 1}, {6, 0}},
	{{6, 1}, {4, 1}, {5, 1}, {3, 3}, {2, 3}, {2, 2}, {3, 2}, {3, 1}, {6, 0}},
	{{6, 1}, {6, 0}, {4, 1}, {2, 3}, {2, 2}, {3, 1}, {2, 1}, {5, 1}},
	{{5, 1}, {5, 0}, {3, 1}, {2, 3}, {2, 2}, {2, 1}, {4, 1}},
	{{4, 0}, {4, 1}, {3, 1}, {3, 2}, {1, 1}, {3, 3}},
	{{4, 0}, {4, 1}, {2, 1}, {1, 1}, {3, 1}},
	{{3, 0}, {3, 1}, {1, 1}, {2, 1}},
	{{2, 0}, {2, 1}, {1, 1}},
	{{1, 0}, {1, 1}},
}

// chromaZeros is Table 9-9 (a), by coefficients - 1 and zeros.
var chromaZeros = [3][4]vlc{
	{{1, 1}, {2, 1}, {3, 1}, {3, 0}},
	{{1, 1}, {2, 1}, {2, 0}},
	{{1, 1}, {1, 0}},
}

// runBefore is Table 9-10, by the smaller of zeros left and 7, less 1, and run.
var runBefore = [7][15]vlc{
	{{1, 1}, {1, 0}},
	{{1, 1}, {2, 1}, {2, 0}},
	{{2, 3}, {2, 2}, {2, 1}, {2, 0}},
	{{2, 3}, {2, 2}, {2, 1}, {3, 1}, {3, 0}},
	{{2, 3}, {2, 2}, {3, 3}, {3, 2}, {3, 1}, {3, 0}},
	{{2, 3}, {3, 0}, {3, 1}, {3, 3}, {3, 2}, {3, 5}, {3, 4}},
	{
		{3, 7}, {3, 6}, {3, 5}, {3, 4}, {3, 3}, {3, 2}, {3, 1},
		{4, 1}, {5, 1}, {6, 1}, {7, 1}, {8, 1}, {9, 1}, {10, 1}, {11, 1},
	},
}

func (w *bitWriter) code(c vlc) { w.u(uint(c.n), uint32(c.bits)) }

// residual writes a block of coefficients in scan order (7.3.5.3.2): 16 of luma
// DC, or 4 of chroma DC.
func (w *bitWriter) residual(coeffs []int32) {
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
			runs[total-1] = run
		}
	}
	ones := 0
	for ones < total && ones < 3 && (levels[ones] == 1 || levels[ones] == -1) {
		ones++
	}
	chroma := len(coeffs) == 4
	if chroma {
		w.code(chromaToken[total][ones])
	} else {
		w.code(coeffToken[total][ones])
	}
	if total == 0 {
		return
	}
	w.levels(levels[:total], ones)
	switch {
	case total == len(coeffs):
	case chroma:
		w.code(chromaZeros[total-1][zeros])
	default:
		w.code(totalZeros[total-1][zeros])
	}
	for i := 0; i < total-1 && zeros > 0; i++ {
		w.code(runBefore[min(zeros, 7)-1][runs[i]])
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
