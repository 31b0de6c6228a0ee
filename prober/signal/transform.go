package signal

// predictLuma is Intra_16x16_DC (8.3.3.3) over flat blocks.
func predictLuma(left, top *edge) int32 {
	switch {
	case left != nil && top != nil:
		return (sum4(left.right) + sum4(top.bottom) + 4) >> 3
	case left != nil:
		return (sum4(left.right) + 2) >> 2
	case top != nil:
		return (sum4(top.bottom) + 2) >> 2
	}
	return 128
}

func sum4(b [4]uint8) int32 { return int32(b[0]) + int32(b[1]) + int32(b[2]) + int32(b[3]) }

// predictChroma is Intra_Chroma_DC (8.3.4.1-3) over flat blocks: the upper right
// block prefers the macroblock above, the lower left one that on the left.
func predictChroma(plane int, left, top *edge) [4]int32 {
	switch {
	case left != nil && top != nil:
		l, t := &left.chroma[plane], &top.chroma[plane]
		return [4]int32{
			(int32(l[1]) + int32(t[2]) + 1) >> 1, int32(t[3]),
			int32(l[3]), (int32(l[3]) + int32(t[3]) + 1) >> 1,
		}
	case left != nil:
		l := &left.chroma[plane]
		return [4]int32{int32(l[1]), int32(l[1]), int32(l[3]), int32(l[3])}
	case top != nil:
		t := &top.chroma[plane]
		return [4]int32{int32(t[2]), int32(t[3]), int32(t[2]), int32(t[3])}
	}
	return [4]int32{128, 128, 128, 128}
}

// codeLuma finds the DC coefficients, in scan order, that bring 16 blocks
// nearest to what is wanted, and what a decoder will make of them.
func codeLuma(want [16]uint8, predicted int32) (got [16]uint8, scan [16]int32) {
	if want == flat(want[0]) {
		scan[0] = int32(want[0]) - predicted
		return want, scan
	}
	var m [16]int32
	for i, v := range want {
		m[i] = int32(v) - predicted
	}
	hadamard4(&m)
	for i, v := range m {
		m[i] = (v + 8) >> 4
	}
	// zig-zag (6.4.11, Figure 6-13)
	scan = [16]int32{
		m[0], m[1], m[4], m[8], m[5], m[2], m[3], m[6],
		m[9], m[12], m[13], m[10], m[7], m[11], m[14], m[15],
	}
	hadamard4(&m)
	for i, v := range m {
		got[i] = clip(predicted + v)
	}
	return got, scan
}

func flat(v uint8) [16]uint8 { return [16]uint8{v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v} }

// codeChroma is codeLuma for the four blocks of one chroma plane.
func codeChroma(want [4]uint8, predicted [4]int32) (got [4]uint8, coeffs [4]int32) {
	var r [4]int32
	for i, v := range want {
		r[i] = int32(v) - predicted[i]
	}
	coeffs = hadamard2(r)
	for i, v := range coeffs {
		coeffs[i] = (v + 4) >> 3
	}
	for i, v := range hadamard2(coeffs) {
		got[i] = clip(predicted[i] + 2*v)
	}
	return got, coeffs
}

// hadamard4 is the transform of 8.5.10 over a 4x4 matrix, rows then columns.
func hadamard4(m *[16]int32) {
	for i := 0; i < 16; i += 4 {
		a, b, c, d := m[i]+m[i+1], m[i]-m[i+1], m[i+2]+m[i+3], m[i+2]-m[i+3]
		m[i], m[i+1], m[i+2], m[i+3] = a+c, a-c, b-d, b+d
	}
	for i := range 4 {
		a, b, c, d := m[i]+m[i+4], m[i]-m[i+4], m[i+8]+m[i+12], m[i+8]-m[i+12]
		m[i], m[i+4], m[i+8], m[i+12] = a+c, a-c, b-d, b+d
	}
}

func hadamard2(m [4]int32) [4]int32 {
	return [4]int32{m[0] + m[1] + m[2] + m[3], m[0] - m[1] + m[2] - m[3], m[0] + m[1] - m[2] - m[3], m[0] - m[1] - m[2] + m[3]}
}

func clip(v int32) uint8 { return uint8(max(0, min(v, 255))) }
