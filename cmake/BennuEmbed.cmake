# bennu_embed(TARGET NAME ns::name DIR folder [DEPENDS files…])
# Puts a folder's files, with compressed variants, into a target. The target can then include "embedded/name.hpp", which
# declares `bennu::EmbeddedFolder ns::name()`. The folder may be empty or missing: then the set is empty, so that a
# build without front-end tools works. It is read again by the next build whenever a file in it changed.
# DEPENDS names what must be built before the folder can be read.
set(BENNU_EMBED_DIR ${CMAKE_CURRENT_LIST_DIR}/../tools/embed)

function(bennu_embed target)
    cmake_parse_arguments(arg "" "NAME;DIR" "DEPENDS" ${ARGN})
    if(NOT TARGET bennu_embed_tool)
        find_package(ZLIB REQUIRED)
        # On its own, so that a change in the platform does not compress every page again.
        add_executable(bennu_embed_tool ${BENNU_EMBED_DIR}/embed.cpp
            ${BENNU_EMBED_DIR}/../../bennu/web/compress.cpp)
        target_link_libraries(bennu_embed_tool PRIVATE bennu_options ZLIB::ZLIB brotlienc zstd)
    endif()
    string(REGEX REPLACE ".*::" "" name ${arg_NAME})
    set(out ${CMAKE_CURRENT_BINARY_DIR}/embedded)
    get_filename_component(folder ${arg_DIR} ABSOLUTE)
    add_custom_command(
        OUTPUT ${out}/${name}.cpp ${out}/${name}.blob ${out}/${name}.hpp
        COMMAND bennu_embed_tool ${arg_NAME} ${folder} ${out}/${name}
        DEPENDS bennu_embed_tool ${arg_DEPENDS}
        DEPFILE ${out}/${name}.d
        COMMENT "Embedding ${name}"
        VERBATIM)
    target_sources(${target} PRIVATE ${out}/${name}.cpp)
    set_source_files_properties(${out}/${name}.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON SKIP_UNITY_BUILD_INCLUSION ON
        OBJECT_DEPENDS ${out}/${name}.blob)
    target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
endfunction()
