# One compiler on purpose: g++ 12.2 miscompiles everyday coroutine code (tests/toolchain shows how).
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
    message(FATAL_ERROR
        "Bennu builds with clang-19 (found ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}). "
        "Use a preset: cmake --preset dev")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_COMPILE_OPTIONS_PIE -fPIC)  # executables share the libraries' precompiled header
find_package(Threads REQUIRED)

find_program(BENNU_CCACHE ccache)
if(BENNU_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_SOURCE_DIR}/cmake/ccache.sh)
    # The header is inside the precompiled one; naming it again would put an absolute path into the hash.
    set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -include-pch <PCH_FILE>)
endif()

add_library(bennu_options INTERFACE)
target_include_directories(bennu_options INTERFACE ${CMAKE_SOURCE_DIR})
# Paths in programs and reports start at the root of the project, wherever that is.
target_compile_options(bennu_options INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:
    -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=
    -Wall -Wextra -Wpedantic -Wno-missing-field-initializers -Wno-c2y-extensions
    -Wno-invalid-offsetof -Wno-missing-designated-field-initializers
    -Werror=dangling -Werror=return-stack-address -Werror=unused-result -Werror=return-type
    -Werror=switch -Werror=implicit-fallthrough
    -ftls-model=initial-exec>
    "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
target_link_options(bennu_options INTERFACE -fuse-ld=lld-19)
target_link_libraries(bennu_options INTERFACE Threads::Threads)

set(BENNU_SANITIZE "" CACHE STRING "address, thread or fuzz")
if(BENNU_SANITIZE STREQUAL "address")
    target_compile_options(bennu_options INTERFACE -fsanitize=address,undefined
        -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
    target_link_options(bennu_options INTERFACE -fsanitize=address,undefined)
elseif(BENNU_SANITIZE STREQUAL "thread")
    target_compile_options(bennu_options INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
    target_link_options(bennu_options INTERFACE -fsanitize=thread)
elseif(BENNU_SANITIZE STREQUAL "fuzz")
    target_compile_options(bennu_options INTERFACE -fsanitize=fuzzer-no-link,address,undefined
        -fno-omit-frame-pointer)
    target_link_options(bennu_options INTERFACE -fsanitize=address,undefined)
endif()

# Sanitizers bring an allocator of their own, and tests look into that of the C library.
set(BENNU_MALLOC "" CACHE STRING "mimalloc; empty: the C library's")
if(BENNU_MALLOC STREQUAL "mimalloc" AND BENNU_SANITIZE STREQUAL "")
    find_package(mimalloc 2.0 REQUIRED)
    # Before the C and C++ libraries, whose functions it stands for; no source names it.
    target_link_libraries(bennu_options INTERFACE mimalloc)
endif()
