# What find_package(bennu_device) reads: the target bennu::device, and what it links.
include(CMakeFindDependencyMacro)
find_dependency(OpenSSL)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/bennu_deviceTargets.cmake)
