#include "bennu/runtime/simulation/replay.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>

// Present in programs that a sanitizer is linked into.
extern "C" [[gnu::weak]] void __sanitizer_set_death_callback(void (*callback)());

namespace bennu::detail {

namespace {

namespace fs = std::filesystem;

struct Place {
    fs::path program, build, source;
};

/// Of this program: the build folder is the nearest with a CMake cache; builds live in `build/` of
/// the source tree.
const Place& place() {
    static const Place found = [] {
        std::error_code failed;
        Place result{fs::read_symlink("/proc/self/exe", failed), {}, {}};
        for (fs::path at = result.program.parent_path(); at != at.root_path();
             at = at.parent_path()) {
            if (!fs::exists(at / "CMakeCache.txt", failed)) continue;
            result.build = at;
            break;
        }
        if (result.build.empty()) result.build = result.program.parent_path();
        result.source = result.build.parent_path();
        if (result.source.filename() == "build") result.source = result.source.parent_path();
        return result;
    }();
    return found;
}

std::string quoted(const std::string& text) {
    return text.find_first_of(" *?:;&|<>()$`\"\\'") == std::string::npos ? text : "'" + text + "'";
}

std::string command(const SimFailure& failure, const std::string& variables) {
    return fmt::format("BENNU_SIM_SEED={}{} {} --gtest_filter={}.{}", failure.seed, variables,
                       from_source_root(place().program), failure.suite, failure.name);
}

/// What to write when the program ends in the middle of a test; filled in before, because nothing
/// can be allocated then.
std::array<char, 1024> last_words{};

void say_last_words() {
    std::size_t length = ::strnlen(last_words.data(), last_words.size());
    [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, last_words.data(), length);
    last_words[0] = 0;
}

extern "C" void say_last_words_and_die(int signal) {
    say_last_words();
    ::signal(signal, SIG_DFL);
    ::raise(signal);
}

void listen_for_crashes() {
    if (&__sanitizer_set_death_callback) {
        __sanitizer_set_death_callback(&say_last_words);
    } else {
        ::signal(SIGSEGV, &say_last_words_and_die);
        ::signal(SIGBUS, &say_last_words_and_die);
    }
    ::signal(SIGABRT, &say_last_words_and_die);
}

}  // namespace

std::string from_source_root(const fs::path& path) {
    fs::path relative = path.lexically_relative(place().source);
    return relative.empty() || *relative.begin() == ".." ? path.string() : relative.string();
}

fs::path failure_pages_folder() {
    if (const char* folder = std::getenv("BENNU_SIM_PAGES")) return folder;
    return place().build / "sim-failures";
}

std::string replay_command(const SimFailure& failure) {
    return command(failure, {});
}

std::string with_faults(const SimFailure& failure, const std::vector<SimFault>& faults) {
    return command(failure, " BENNU_SIM_FAULTS=" + quoted(to_text(faults)));
}

void announce_on_crash(const SimFailure* failure) {
    static const bool listening = (listen_for_crashes(), true);
    static_cast<void>(listening);
    last_words[0] = 0;
    if (!failure) return;
    auto end = fmt::format_to_n(last_words.data(), last_words.size() - 1,
                                "\nin a simulation; replay: {}\n", replay_command(*failure));
    *end.out = 0;
}

}  // namespace bennu::detail
