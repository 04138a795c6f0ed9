// The table of histogram_index.h. bound[i] = ceil(2^52 * (2^(i/64) - 1)), computed to 60 digits; histogram_index_test.cc checks every
// bound and guess against long double arithmetic.
#include "record/histogram_index.h"

namespace honeylink::telemetry::internal {

// clang-format off
constinit const IndexTable kIndexTable{
    {
        0x0ULL, 0x2c9a3e778061ULL, 0x59b0d3158575ULL, 0x874518759bc9ULL, 0xb5586cf98910ULL,
        0xe3ec32d3d1a3ULL, 0x11301d0125b51ULL, 0x1429aaea92de0ULL, 0x172b83c7d517bULL, 0x1a35beb6fcb76ULL,
        0x1d4873168b9abULL, 0x2063b88628cd7ULL, 0x2387a6e756239ULL, 0x26b4565e27cdeULL, 0x29e9df51fdee2ULL,
        0x2d285a6e4030cULL, 0x306fe0a31b716ULL, 0x33c08b2641700ULL, 0x371a7373aa9cbULL, 0x3a7db34e59ff7ULL,
        0x3dea64c123423ULL, 0x4160a21f72e2aULL, 0x44e086061892eULL, 0x486a2b5c13cd1ULL, 0x4bfdad5362a28ULL,
        0x4f9b2769d2ca7ULL, 0x5342b569d4f82ULL, 0x56f4736b527dbULL, 0x5ab07dd48542aULL, 0x5e76f15ad2149ULL,
        0x6247eb03a5585ULL, 0x6623882552225ULL, 0x6a09e667f3bcdULL, 0x6dfb23c651a2fULL, 0x71f75e8ec5f74ULL,
        0x75feb564267c9ULL, 0x7a11473eb0187ULL, 0x7e2f336cf4e63ULL, 0x82589994cce13ULL, 0x868d99b4492edULL,
        0x8ace5422aa0dcULL, 0x8f1ae99157737ULL, 0x93737b0cdc5e5ULL, 0x97d829fde4e50ULL, 0x9c49182a3f091ULL,
        0xa0c667b5de565ULL, 0xa5503b23e255dULL, 0xa9e6b5579fdc0ULL, 0xae89f995ad3aeULL, 0xb33a2b84f15fbULL,
        0xb7f76f2fb5e47ULL, 0xbcc1e904bc1d3ULL, 0xc199bdd85529dULL, 0xc67f12e57d14cULL, 0xcb720dcef906aULL,
        0xd072d4a07897cULL, 0xd5818dcfba488ULL, 0xda9e603db3286ULL, 0xdfc97337b9b5fULL, 0xe502ee78b3ff7ULL,
        0xea4afa2a490daULL, 0xefa1bee615a28ULL, 0xf50765b6e4541ULL, 0xfa7c1819e90d9ULL, 0x1fffffffffffffULL,
    },
    {
        0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6, 7, 7, 7,
        8, 8, 8, 9, 9, 9, 10, 10, 10, 11, 11, 11, 12, 12, 12, 13, 13, 13, 14, 14, 14, 14, 15, 15,
        15, 16, 16, 16, 17, 17, 17, 17, 18, 18, 18, 19, 19, 19, 20, 20, 20, 20, 21, 21, 21, 22, 22, 22,
        22, 23, 23, 23, 24, 24, 24, 24, 25, 25, 25, 25, 26, 26, 26, 27, 27, 27, 27, 28, 28, 28, 28, 29,
        29, 29, 29, 30, 30, 30, 30, 31, 31, 31, 31, 32, 32, 32, 33, 33, 33, 33, 34, 34, 34, 34, 35, 35,
        35, 35, 35, 36, 36, 36, 36, 37, 37, 37, 37, 38, 38, 38, 38, 39, 39, 39, 39, 40, 40, 40, 40, 40,
        41, 41, 41, 41, 42, 42, 42, 42, 43, 43, 43, 43, 43, 44, 44, 44, 44, 45, 45, 45, 45, 45, 46, 46,
        46, 46, 47, 47, 47, 47, 47, 48, 48, 48, 48, 48, 49, 49, 49, 49, 50, 50, 50, 50, 50, 51, 51, 51,
        51, 51, 52, 52, 52, 52, 52, 53, 53, 53, 53, 53, 54, 54, 54, 54, 54, 55, 55, 55, 55, 55, 56, 56,
        56, 56, 56, 57, 57, 57, 57, 57, 58, 58, 58, 58, 58, 58, 59, 59, 59, 59, 59, 60, 60, 60, 60, 60,
        61, 61, 61, 61, 61, 61, 62, 62, 62, 62, 62, 63, 63, 63, 63, 63,
    }};
// clang-format on

}  // namespace honeylink::telemetry::internal
