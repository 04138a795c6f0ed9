// See assets.h. HONEYLINK_PAGE_DIR holds index.html.gz and its like when this is compiled (cmake/targets.cmake).
#include "view/assets.h"

#include "view/gzip.h"

// .incbin costs the compiler nothing; an array of two million numbers costs it seconds.
#define HONEYLINK_EMBED(name, file)                                                                   \
  asm(".section .rodata\n.global honeylink_page_" #name "\n.global honeylink_page_" #name             \
      "_end\n"                                                                                        \
      "honeylink_page_" #name ":\n.incbin \"" HONEYLINK_PAGE_DIR "/" file "\"\nhoneylink_page_" #name \
      "_end:\n.byte 0\n.previous\n");                                                                 \
  extern "C" const char honeylink_page_##name[], honeylink_page_##name##_end[]

HONEYLINK_EMBED(index, "index.html.gz");
HONEYLINK_EMBED(script, "app.js.gz");
HONEYLINK_EMBED(style, "app.css.gz");
HONEYLINK_EMBED(icon, "favicon.svg.gz");

namespace honeylink::telemetry::view {
namespace {

constexpr std::size_t kFileBytesMax = 8 << 20;  // unpacked

struct Asset {
  std::string_view path, type;
  const char *begin, *end;
};
const Asset kAssets[] = {
    {"/", "text/html; charset=utf-8", honeylink_page_index, honeylink_page_index_end},
    {"/app.js", "text/javascript; charset=utf-8", honeylink_page_script, honeylink_page_script_end},
    {"/app.css", "text/css; charset=utf-8", honeylink_page_style, honeylink_page_style_end},
    {"/favicon.svg", "image/svg+xml", honeylink_page_icon, honeylink_page_icon_end},
};

}  // namespace

Response asset_response(const Request& request) {
  if (request.method != "GET" && request.method != "HEAD") return error_response(405, "a file is asked for by GET");
  for (const Asset& asset : kAssets) {
    if (request.path() != asset.path) continue;
    Response response;
    response.type = asset.type;
    response.gzipped = request.accepts_gzip;
    response.body.assign(asset.begin, asset.end);
    if (!response.gzipped) response.body = gunzip(response.body, kFileBytesMax);
    return response;
  }
  return error_response(404, "there is no such file", {}, "the page is at /");
}

}  // namespace honeylink::telemetry::view
