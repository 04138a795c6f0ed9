# What leaves the build: honeylink::telemetry (no third-party library), honeylink::testing, honeylink::embedded, honeytel.
# Rooms are an internal detail: a product is made of their objects, so that a user links one archive.

# honeylink_product(NAME EXPORT_NAME STATIC|"" rooms...)
function(honeylink_product name export_name kind)
  set(objects)
  foreach(room IN LISTS ARGN)
    if(TARGET hl_${room}_objects)
      list(APPEND objects $<TARGET_OBJECTS:hl_${room}_objects>)
    endif()
  endforeach()
  if(NOT objects)
    return()
  endif()
  add_library(${name} ${kind} ${objects})
  add_library(honeylink::${export_name} ALIAS ${name})
  set_target_properties(${name} PROPERTIES EXPORT_NAME ${export_name} VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
  target_compile_features(${name} PUBLIC cxx_std_20)
  target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                             $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${name} PUBLIC Threads::Threads)
  set_property(GLOBAL APPEND PROPERTY HONEYLINK_PRODUCTS ${name})
endfunction()

honeylink_product(honeylink_telemetry telemetry "" base ring record)

# The test library and the embedded engine need the inner symbols of telemetry, which a shared library hides; two copies of it in one
# process would be two rings.
if(NOT BUILD_SHARED_LIBS)
  honeylink_product(honeylink_testing testing STATIC testing)
  if(TARGET honeylink_testing)
    target_link_libraries(honeylink_testing PUBLIC honeylink_telemetry)
  endif()
endif()
if(HONEYLINK_TOOL AND NOT BUILD_SHARED_LIBS)
  honeylink_product(honeylink_embedded embedded STATIC config scrub store sli audit consent net alert export engine)
  if(TARGET honeylink_embedded)
    target_link_libraries(honeylink_embedded PUBLIC honeylink_telemetry PkgConfig::SQLITE PkgConfig::ZSTD PkgConfig::SODIUM
                          SDBusCpp::sdbus-c++)
  endif()
endif()

if(HONEYLINK_TOOL AND EXISTS ${PROJECT_SOURCE_DIR}/src/cli/main.cc)
  add_executable(honeytel src/cli/main.cc)
  target_link_libraries(honeytel PRIVATE hl_cli)
  set_target_properties(honeytel PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  # The manual page comes from the tool's own table of commands, so that the two cannot disagree.
  add_custom_command(TARGET honeytel POST_BUILD COMMAND honeytel manual > ${CMAKE_BINARY_DIR}/honeytel.1 VERBATIM)
endif()

# honeytel_sql.so: what `honeytel sql` has, for every program with SQLite. The rooms' archives as they are; SQLite is the host's
# (src/extension), everything else but libc is inside, and only the entry is exported. Sanitized it could be loaded by no host.
if(HONEYLINK_TOOL AND TARGET hl_query AND NOT HONEYLINK_SANITIZE AND EXISTS ${PROJECT_SOURCE_DIR}/src/extension/load.cc)
  add_library(honeytel_sql MODULE src/extension/load.cc src/extension/host_sqlite.cc)
  set_target_properties(honeytel_sql PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  target_include_directories(honeytel_sql PRIVATE ${SQLITE_INCLUDE_DIRS})
  find_library(HONEYLINK_ZSTD_ARCHIVE libzstd.a HINTS ${ZSTD_LIBRARY_DIRS})
  if(NOT HONEYLINK_ZSTD_ARCHIVE)
    set(HONEYLINK_ZSTD_ARCHIVE PkgConfig::ZSTD)
  endif()
  set(archives)
  foreach(room query config sli scrub store ring base)
    list(APPEND archives $<TARGET_FILE:hl_${room}>)
    add_dependencies(honeytel_sql hl_${room})
  endforeach()
  set(exports ${PROJECT_SOURCE_DIR}/cmake/sql_extension.version)
  set_target_properties(honeytel_sql PROPERTIES LINK_DEPENDS "${archives};${exports}")
  target_link_libraries(honeytel_sql PRIVATE hl_flags -Wl,--start-group ${archives} -Wl,--end-group ${HONEYLINK_ZSTD_ARCHIVE})
  target_link_options(honeytel_sql PRIVATE -static-libstdc++ -static-libgcc -Wl,-z,defs -Wl,--gc-sections -Wl,--version-script=${exports})
endif()
