package origin

import (
	"errors"

	"github.com/bluenviron/mediacommon/v2/pkg/bits"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// Headers of the NAL units that are made here (ISO/IEC 14496-10, 7.4.1).
const (
	naluP   = 2<<5 | 1
	naluIDR = 3<<5 | 5
)

// format is what a broadcast's parameter sets ask of a slice.
type format struct {
	width, height int // in macroblocks
	pps           uint32
	frameNumBits  int
	orderBits     int // of pic_order_cnt_lsb; 0 where it is not written
	deblocking    bool
}

var errFormat = errors.New("pictures of this format are not made here")

// formatOf reads the parameter sets. What it refuses is beyond Constrained
// Baseline, or rare.
func formatOf(v *videoConfig) (format, error) {
	var s h264.SPS
	if err := s.Unmarshal(v.sps); err != nil {
		return format{}, err
	}
	if !s.FrameMbsOnlyFlag || s.PicOrderCntType == 1 || s.ProfileIdc > 100 || s.ChromaFormatIdc > 1 {
		return format{}, errFormat
	}
	f := format{
		width: int(s.PicWidthInMbsMinus1) + 1, height: int(s.PicHeightInMapUnitsMinus1) + 1,
		frameNumBits: int(s.Log2MaxFrameNumMinus4) + 4,
	}
	if s.PicOrderCntType == 0 {
		f.orderBits = int(s.Log2MaxPicOrderCntLsbMinus4) + 4
	}
	return f, f.readPPS(v.pps)
}

// readPPS reads a picture parameter set (7.3.2.2).
func (f *format) readPPS(pps []byte) error {
	b := h264.EmulationPreventionRemove(pps[1:])
	at := 0
	var err error
	golomb := func() (v uint32) {
		if err == nil {
			v, err = bits.ReadGolombUnsigned(b, &at)
		}
		return v
	}
	flags := func(n int) (v uint64) {
		if err == nil {
			v, err = bits.ReadBits(b, &at, n)
		}
		return v
	}
	f.pps = golomb()
	golomb()                           // seq_parameter_set_id
	refused := flags(2) != 0           // entropy_coding_mode_flag: CABAC; bottom_field_pic_order_in_frame_present_flag
	refused = golomb() != 0 || refused // num_slice_groups_minus1
	golomb()                           // num_ref_idx_l0_default_active_minus1
	golomb()                           // num_ref_idx_l1_default_active_minus1
	refused = flags(3) != 0 || refused // weighted prediction
	golomb()                           // pic_init_qp_minus26, pic_init_qs_minus26 and
	golomb()                           // chroma_qp_index_offset are signed, and as long
	golomb()
	f.deblocking = flags(1) != 0
	flags(1)                           // constrained_intra_pred_flag
	refused = flags(1) != 0 || refused // redundant_pic_cnt_present_flag
	if err == nil && refused {
		err = errFormat
	}
	return err
}

// header writes what slices of both types begin with, and end their headers with (7.3.3).
func (f *format) header(w *bitWriter, idr bool, number uint32) {
	sliceType := uint32(5) // P, as all of the picture
	if idr {
		sliceType = 7 // I
	}
	w.ue(0) // first_mb_in_slice
	w.ue(sliceType)
	w.ue(f.pps)
	w.u(f.frameNumBits, number)
	if idr {
		w.ue(0) // idr_pic_id
	}
	w.u(f.orderBits, 2*number)
	if idr {
		w.u(2, 0) // no_output_of_prior_pics_flag, long_term_reference_flag
	} else {
		w.u(3, 0) // no override, no list modification, no adaptive marking
	}
	w.ue(0) // slice_qp_delta
	if f.deblocking {
		w.ue(1) // disable_deblocking_filter_idc
	}
}

// still is a picture like the one before: every macroblock is skipped.
func (f *format) still(number uint32) []byte {
	var w bitWriter
	f.header(&w, false, number)
	w.ue(uint32(f.width * f.height)) //nolint:gosec // mb_skip_run: bounded by the level
	return w.nalu(naluP)
}

// black is a black IDR picture: its first macroblock sample by sample, all
// others as predicted from it (Table 7-11; 8.3.3, 8.3.4).
func (f *format) black() []byte {
	const (
		typePCM, typeDC     = 25, 3
		luma, chroma        = 16, 128
		lumaSize, chromaTwo = 16 * 16, 2 * 8 * 8
	)
	var w bitWriter
	f.header(&w, true, 0)
	w.ue(typePCM)
	w.align()
	for range lumaSize {
		w.u(8, luma)
	}
	for range chromaTwo {
		w.u(8, chroma)
	}
	for i := 1; i < f.width*f.height; i++ {
		w.ue(typeDC)
		w.ue(0) // intra_chroma_pred_mode: DC
		w.ue(0) // mb_qp_delta
		if i == 1 && f.width > 1 || i == f.width {
			w.u(6, 0b000011) // no coefficient, beside a macroblock that has all (9.2.1)
		} else {
			w.u(1, 1) // no coefficient
		}
	}
	return w.nalu(naluIDR)
}
