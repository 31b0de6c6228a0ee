package signal

import "fmt"

// level is a row of Table A-1.
type level struct {
	idc       uint32
	perSecond int // macroblocks
	perFrame  int // macroblocks
	bitrate   int // bits per second
}

// levelFor is the lowest level that allows the pictures of cfg.
func levelFor(cfg Config) (uint32, error) {
	blocks := macroblocks(cfg.Width) * macroblocks(cfg.Height)
	for _, l := range []level{
		{13, 11880, 396, 768_000},
		{21, 19800, 792, 4_000_000},
		{30, 40500, 1620, 10_000_000},
		{31, 108000, 3600, 14_000_000},
		{32, 216000, 5120, 20_000_000},
		{40, 245760, 8192, 20_000_000},
		{42, 522240, 8704, 50_000_000},
		{51, 983040, 36864, 240_000_000},
	} {
		if blocks <= l.perFrame && blocks*cfg.FPS <= l.perSecond && cfg.Bitrate <= l.bitrate {
			return l.idc, nil
		}
	}
	return 0, fmt.Errorf("signal: %dx%d at %d fps and %d bit/s is beyond H.264 level 5.1; choose less of one", cfg.Width, cfg.Height, cfg.FPS, cfg.Bitrate)
}

func macroblocks(samples int) int { return (samples + 15) / 16 }

// frameNumBits is the width of frame_num in slice headers.
const frameNumBits = 16

// sps is the sequence parameter set (7.3.2.1.1): Constrained Baseline, no
// reordering, cropped to the picture's size, with timing in the VUI (E.1.1).
func sps(cfg Config, level uint32) []byte {
	var w bitWriter
	w.u(8, 66)      // profile_idc: Baseline
	w.u(8, 0b11<<6) // constraint_set0_flag, constraint_set1_flag: Constrained Baseline
	w.u(8, level)
	w.ue(0)                // seq_parameter_set_id
	w.ue(frameNumBits - 4) // log2_max_frame_num_minus4
	w.ue(2)                // pic_order_cnt_type: output in decoding order
	w.ue(1)                // max_num_ref_frames
	w.u(1, 0)              // gaps_in_frame_num_value_allowed_flag
	mbW, mbH := macroblocks(cfg.Width), macroblocks(cfg.Height)
	w.ue(uint32(mbW - 1))                   //nolint:gosec // bounded by the level
	w.ue(uint32(mbH - 1))                   //nolint:gosec // bounded by the level
	w.u(1, 1)                               // frame_mbs_only_flag
	w.u(1, 1)                               // direct_8x8_inference_flag
	w.u(1, 1)                               // frame_cropping_flag; offsets in units of two samples
	w.ue(0)                                 // left
	w.ue(uint32((16*mbW - cfg.Width) / 2))  //nolint:gosec // below 8
	w.ue(0)                                 // top
	w.ue(uint32((16*mbH - cfg.Height) / 2)) //nolint:gosec // below 8
	w.u(1, 1)                               // vui_parameters_present_flag
	vui(&w, cfg)
	w.trailing()
	return appendEscaped(nil, nalSPS, w.buf)
}

func vui(w *bitWriter, cfg Config) {
	w.u(1, 0)                  // aspect_ratio_info_present_flag
	w.u(1, 0)                  // overscan_info_present_flag
	w.u(1, 1)                  // video_signal_type_present_flag
	w.u(3, 5)                  // video_format: unspecified
	w.u(1, 0)                  // video_full_range_flag
	w.u(1, 1)                  // colour_description_present_flag
	w.u(24, 0x010101)          // BT.709 primaries, transfer and matrix
	w.u(1, 0)                  // chroma_loc_info_present_flag
	w.u(1, 1)                  // timing_info_present_flag
	w.u(32, 1)                 // num_units_in_tick
	w.u(32, uint32(2*cfg.FPS)) //nolint:gosec // time_scale in fields; FPS is bounded
	w.u(1, 1)                  // fixed_frame_rate_flag
	w.u(1, 0)                  // nal_hrd_parameters_present_flag
	w.u(1, 0)                  // vcl_hrd_parameters_present_flag
	w.u(1, 0)                  // pic_struct_present_flag
	w.u(1, 1)                  // bitstream_restriction_flag
	w.u(1, 1)                  // motion_vectors_over_pic_boundaries_flag
	w.ue(0)                    // max_bytes_per_pic_denom: no bound
	w.ue(0)                    // max_bits_per_mb_denom: no bound
	w.ue(0)                    // log2_max_mv_length_horizontal
	w.ue(0)                    // log2_max_mv_length_vertical
	w.ue(0)                    // max_num_reorder_frames: a decoder may show a picture at once
	w.ue(1)                    // max_dec_frame_buffering
}

// pps is the picture parameter set (7.3.2.2).
func pps() []byte {
	var w bitWriter
	w.ue(0)              // pic_parameter_set_id
	w.ue(0)              // seq_parameter_set_id
	w.u(1, 0)            // entropy_coding_mode_flag: CAVLC
	w.u(1, 0)            // bottom_field_pic_order_in_frame_present_flag
	w.ue(0)              // num_slice_groups_minus1
	w.ue(0)              // num_ref_idx_l0_default_active_minus1
	w.ue(0)              // num_ref_idx_l1_default_active_minus1
	w.u(1, 0)            // weighted_pred_flag
	w.u(2, 0)            // weighted_bipred_idc
	w.se(quantizer - 26) // pic_init_qp_minus26
	w.se(0)              // pic_init_qs_minus26
	w.se(0)              // chroma_qp_index_offset
	w.u(1, 1)            // deblocking_filter_control_present_flag
	w.u(1, 1)            // constrained_intra_pred_flag: see coder.begin
	w.u(1, 0)            // redundant_pic_cnt_present_flag
	w.trailing()
	return appendEscaped(nil, nalPPS, w.buf)
}

// avcConfig is the AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1).
func avcConfig(sps, pps []byte) []byte {
	b := []byte{1, sps[1], sps[2], sps[3], 0xfc | 3, 0xe0 | 1} // lengths of four bytes, one SPS
	b = append(b, byte(len(sps)>>8), byte(len(sps)))           //nolint:gosec // far below 64 KB
	b = append(b, sps...)
	b = append(b, 1, byte(len(pps)>>8), byte(len(pps))) //nolint:gosec // far below 64 KB
	return append(b, pps...)
}

// idrHeader writes the header of an I slice of an IDR picture (7.3.3). The two
// ids that alternate, 1 and 2, have the same length in bits.
func idrHeader(w *bitWriter, firstMB int, id uint32) {
	w.ue(uint32(firstMB)) //nolint:gosec // bounded by the level
	w.ue(7)               // slice_type: I, as all of the picture
	w.ue(0)               // pic_parameter_set_id
	w.u(frameNumBits, 0)  // frame_num
	w.ue(id)              // idr_pic_id
	w.u(1, 0)             // no_output_of_prior_pics_flag
	w.u(1, 0)             // long_term_reference_flag
	w.se(0)               // slice_qp_delta
	w.ue(1)               // disable_deblocking_filter_idc: off
}

// pHeader writes the header of a P slice that is a whole picture.
func pHeader(w *bitWriter, frameNum uint32) {
	w.ue(0)                                         // first_mb_in_slice
	w.ue(5)                                         // slice_type: P, as all of the picture
	w.ue(0)                                         // pic_parameter_set_id
	w.u(frameNumBits, frameNum&(1<<frameNumBits-1)) // frame_num
	w.u(1, 0)                                       // num_ref_idx_active_override_flag
	w.u(1, 0)                                       // ref_pic_list_modification_flag_l0
	w.u(1, 0)                                       // adaptive_ref_pic_marking_mode_flag
	w.se(0)                                         // slice_qp_delta
	w.ue(1)                                         // disable_deblocking_filter_idc: off
}
