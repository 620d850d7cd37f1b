// Where the pieces of a tile lie, for kernels and for the tests of them on the host.
#pragma once

#ifdef __CUDACC__
#define HAYATE_ON_BOTH __host__ __device__ __forceinline__
#else
#define HAYATE_ON_BOTH inline
#endif

namespace hayate::cuda {

// Offset in bytes of a 16-byte piece of a row in a box whose rows are `RowBytes` (64 or 128) long, swizzled as the copy engine does over as
// many bytes: bits 4 and up of the address are crossed with bits 7 and up. Eight rows' pieces of one number lie in different banks.
template <int RowBytes>
HAYATE_ON_BOTH int swizzled(int row, int piece) {
  return row * RowBytes + (piece ^ (row * RowBytes / 128 % (RowBytes / 16))) * 16;
}

// Rows of a weight whose halves are gated: eight of the upper half, eight of the lower, and so on. Row of the plain weight for one of these.
HAYATE_ON_BOTH long long interleaved_row(long long row, long long half) { return row / 16 * 8 + row % 8 + (row % 16 < 8 ? 0 : half); }

struct BoxPlace { int x, y, image; };
// First pixel of a box, in the order in which boxes cover lines, then images. Past the last image everything is outside: read as zero, not stored.
HAYATE_ON_BOTH BoxPlace box_place(int box, int boxes_w, int boxes_h, int box_w, int box_h) {
  int line = box / boxes_w;
  return {box % boxes_w * box_w, line % boxes_h * box_h, line / boxes_h};
}

// Fragments as the matrix instructions hold them: lane i of a warp has of an 8 x 8 matrix row i / 4, columns i % 4 * 2 and the next. Row and
// 16-byte piece that the lane gives as address to load or store 16 x 16 elements as four matrices: upper left, lower left, upper right, lower right.
HAYATE_ON_BOTH int matrices_row(int lane) { return lane % 16; }
HAYATE_ON_BOTH int matrices_piece(int lane) { return lane / 16; }

}  // namespace hayate::cuda
