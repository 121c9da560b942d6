#include <cstdio>
#include <exception>

#include "benches/load/modes.hpp"

int main(int argc, char** argv) {
    try {
        std::puts(bench::run_mode(bench::parse_options(argc, argv)).c_str());
        return 0;
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "bench_load: %s\n", problem.what());
        return 1;
    }
}
