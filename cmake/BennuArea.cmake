# bennu_area(NAME [USES areas…] [LIBS libraries…] [TEST_LIBS libraries…])
# One area of the house: every *.cpp in its folder (recursively) is the static library bennu_NAME, every *_test.cpp
# the executable bennu_NAME_test. USES names the areas above that it may include.
function(bennu_area name)
    cmake_parse_arguments(arg "" "" "USES;LIBS;TEST_LIBS" ${ARGN})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cpp)
    file(GLOB_RECURSE tests CONFIGURE_DEPENDS *_test.cpp)
    list(REMOVE_ITEM sources ${tests})
    list(TRANSFORM arg_USES PREPEND bennu_)
    if(sources)
        add_library(bennu_${name} STATIC ${sources})
        target_link_libraries(bennu_${name} PUBLIC bennu_options ${arg_USES} ${arg_LIBS})
        bennu_pch(bennu_${name})
    else()  # headers only
        add_library(bennu_${name} INTERFACE)
        target_link_libraries(bennu_${name} INTERFACE bennu_options ${arg_USES} ${arg_LIBS})
    endif()
    if(BENNU_TESTS AND tests)
        bennu_test(bennu_${name}_test SOURCES ${tests} LIBS bennu_${name} ${arg_TEST_LIBS})
    endif()
endfunction()

# bennu_test(NAME SOURCES files… LIBS libraries…): a GoogleTest executable registered with CTest. It runs at the
# root of the project, so that it finds its test data.
function(bennu_test name)
    cmake_parse_arguments(arg "" "" "SOURCES;LIBS" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE ${arg_LIBS} GTest::gtest GTest::gmock GTest::gtest_main)
    bennu_pch(${name})
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 4)
    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
endfunction()

# Every target shares one precompiled header of standard headers, compiled once.
function(bennu_pch name)
    if(name STREQUAL "bennu_base")
        target_precompile_headers(bennu_base PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch.hpp)
    else()
        target_precompile_headers(${name} REUSE_FROM bennu_base)
    endif()
endfunction()
