// The table of histogram_index.h. bound[i] = floor(2^52 * (2^(i/64) - 1)), computed to 60 digits;
// histogram_index_test.cc checks every bound and guess against long double arithmetic.
#include "record/histogram_index.h"

namespace honeylink::telemetry::internal {

// clang-format off
constinit const HistogramIndexTable histogram_index{
    {
        0x0ULL, 0x2c9a3e778060ULL, 0x59b0d3158574ULL, 0x874518759bc8ULL, 0xb5586cf9890fULL,
        0xe3ec32d3d1a2ULL, 0x11301d0125b50ULL, 0x1429aaea92ddfULL, 0x172b83c7d517aULL, 0x1a35beb6fcb75ULL,
        0x1d4873168b9aaULL, 0x2063b88628cd6ULL, 0x2387a6e756238ULL, 0x26b4565e27cddULL, 0x29e9df51fdee1ULL,
        0x2d285a6e4030bULL, 0x306fe0a31b715ULL, 0x33c08b26416ffULL, 0x371a7373aa9caULL, 0x3a7db34e59ff6ULL,
        0x3dea64c123422ULL, 0x4160a21f72e29ULL, 0x44e086061892dULL, 0x486a2b5c13cd0ULL, 0x4bfdad5362a27ULL,
        0x4f9b2769d2ca6ULL, 0x5342b569d4f81ULL, 0x56f4736b527daULL, 0x5ab07dd485429ULL, 0x5e76f15ad2148ULL,
        0x6247eb03a5584ULL, 0x6623882552224ULL, 0x6a09e667f3bccULL, 0x6dfb23c651a2eULL, 0x71f75e8ec5f73ULL,
        0x75feb564267c8ULL, 0x7a11473eb0186ULL, 0x7e2f336cf4e62ULL, 0x82589994cce12ULL, 0x868d99b4492ecULL,
        0x8ace5422aa0dbULL, 0x8f1ae99157736ULL, 0x93737b0cdc5e4ULL, 0x97d829fde4e4fULL, 0x9c49182a3f090ULL,
        0xa0c667b5de564ULL, 0xa5503b23e255cULL, 0xa9e6b5579fdbfULL, 0xae89f995ad3adULL, 0xb33a2b84f15faULL,
        0xb7f76f2fb5e46ULL, 0xbcc1e904bc1d2ULL, 0xc199bdd85529cULL, 0xc67f12e57d14bULL, 0xcb720dcef9069ULL,
        0xd072d4a07897bULL, 0xd5818dcfba487ULL, 0xda9e603db3285ULL, 0xdfc97337b9b5eULL, 0xe502ee78b3ff6ULL,
        0xea4afa2a490d9ULL, 0xefa1bee615a27ULL, 0xf50765b6e4540ULL, 0xfa7c1819e90d8ULL, 0x1fffffffffffffULL,
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
