# Language, warnings, sanitizers, ccache: the same for every room.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

# The loops that matter are in kernels, which ask for -O3 themselves; elsewhere it only makes compiling half as long again.
if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
  set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
endif()

# One layout on every system: bin/, lib/meander/ and share/meander/ beside each other; the programs rely on it.
set(CMAKE_INSTALL_LIBDIR lib CACHE PATH "Folder of libraries below the install prefix")
include(GNUInstallDirs)

find_program(MEANDER_CCACHE ccache)
mark_as_advanced(MEANDER_CCACHE)
if(MEANDER_CCACHE)
  # Without these files that use a precompiled header would not be cached (with GCC also -fpch-preprocess, below).
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${MEANDER_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${MEANDER_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${MEANDER_CCACHE})
endif()

# The folder of resources a built program falls back to; a package has none.
if(MEANDER_PACKAGE)
  set(MEANDER_SOURCE_RESOURCES "")
else()
  set(MEANDER_SOURCE_RESOURCES ${CMAKE_SOURCE_DIR}/resources)
endif()

add_library(meander_settings INTERFACE)
target_include_directories(meander_settings INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
set(MEANDER_VERSION ${PROJECT_VERSION})
configure_file(${CMAKE_SOURCE_DIR}/cmake/version.h.in ${CMAKE_BINARY_DIR}/generated/meander_version.h)
if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
  target_compile_options(meander_settings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wno-missing-field-initializers>)
  # g++ 13 and newer take the key of `text(params, "key")` for what the reference points to.
  target_compile_options(meander_settings INTERFACE $<$<AND:$<COMPILE_LANG_AND_ID:CXX,GNU>,$<VERSION_GREATER_EQUAL:$<CXX_COMPILER_VERSION>,13>>:-Wno-dangling-reference>)
  if(MEANDER_WERROR)
    target_compile_options(meander_settings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
  endif()
  if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT MEANDER_SANITIZE)
    # What distributions ask of a package.
    target_compile_options(meander_settings INTERFACE $<$<COMPILE_LANGUAGE:C,CXX>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong>)
    if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
      target_link_options(meander_settings INTERFACE -Wl,-z,relro,-z,now)
    endif()
  endif()
  foreach(sanitizer IN LISTS MEANDER_SANITIZE)
    target_compile_options(meander_settings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${sanitizer} -fno-omit-frame-pointer -fno-sanitize-recover=all>)
    target_link_options(meander_settings INTERFACE -fsanitize=${sanitizer})
  endforeach()
  if("thread" IN_LIST MEANDER_SANITIZE)
    # The OpenMP runtime is not instrumented: our own loops run serially under TSan.
    target_compile_definitions(meander_settings INTERFACE MEANDER_SERIAL_LOOPS)
  endif()
endif()
