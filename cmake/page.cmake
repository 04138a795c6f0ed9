# The page of honeytel view (web/): built once into ${CMAKE_BINARY_DIR}/web, again only when a file of web/src changed. src/view embeds
# HONEYLINK_PAGE_FILES (each NAME and NAME.gz). Without node and npm, or with HONEYLINK_PAGE=OFF, a page that says so takes its place: the build
# never fails for want of them; ./dev installs them.
include_guard(GLOBAL)
option(HONEYLINK_PAGE "Build the page of honeytel view (needs node and npm)" ON)
find_program(HONEYLINK_NODE NAMES node nodejs)
find_program(HONEYLINK_NPM NAMES npm)

set(HONEYLINK_PAGE_DIR ${CMAKE_BINARY_DIR}/web)
set(HONEYLINK_PAGE_FILES)
foreach(name index.html app.js app.css favicon.svg)
  list(APPEND HONEYLINK_PAGE_FILES ${HONEYLINK_PAGE_DIR}/${name} ${HONEYLINK_PAGE_DIR}/${name}.gz)
endforeach()
if(HONEYLINK_PAGE AND HONEYLINK_NODE AND HONEYLINK_NPM)
  set(page_command ${PROJECT_SOURCE_DIR}/web/build.sh ${HONEYLINK_PAGE_DIR})
  file(GLOB_RECURSE page_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/web/src/*)
  list(APPEND page_sources ${PROJECT_SOURCE_DIR}/web/package-lock.json)
else()
  message(STATUS "honeytel view gets no page: ${PROJECT_SOURCE_DIR}/web needs node and npm (HONEYLINK_PAGE is ${HONEYLINK_PAGE})")
  set(page_command ${PROJECT_SOURCE_DIR}/web/no_page.sh ${HONEYLINK_PAGE_DIR})
  set(page_sources ${PROJECT_SOURCE_DIR}/web/no_page.sh)
endif()
add_custom_command(OUTPUT ${HONEYLINK_PAGE_FILES} COMMAND ${page_command} DEPENDS ${page_sources} ${PROJECT_SOURCE_DIR}/web/build.sh
                   COMMENT "Building the page of honeytel view" VERBATIM)
add_custom_target(hl_page ALL DEPENDS ${HONEYLINK_PAGE_FILES})

# Label unit: types, texts, contrast, numbers. Label slow: every screen in Chromium against the real server. Skipped by name without node.
function(honeylink_page_tests)
  add_test(NAME page.static COMMAND ${PROJECT_SOURCE_DIR}/web/test/run.sh ${CMAKE_BINARY_DIR} static)
  set_tests_properties(page.static PROPERTIES LABELS unit TIMEOUT 300 SKIP_RETURN_CODE 77)
  add_test(NAME page.browser COMMAND ${PROJECT_SOURCE_DIR}/web/test/run.sh ${CMAKE_BINARY_DIR} browser)
  # Two minutes, of which a demo records half a minute. Both cores: it measures what a frame costs.
  set_tests_properties(page.browser PROPERTIES LABELS slow TIMEOUT 300 PROCESSORS 2 SKIP_RETURN_CODE 77)
endfunction()
