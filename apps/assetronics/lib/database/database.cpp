#include "apps/assetronics/lib/database/database.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "bennu/runtime/offload.hpp"
#include "bennu/web/embedded.hpp"
#include "embedded/migration_files.hpp"

namespace assetronics::database {

using namespace bennu;

namespace {

Result<> make_folder(const std::string& path) {
    std::error_code failure;
    std::filesystem::create_directories(path, failure);
    if (failure) {
        return Error(ErrorKind::io, "no_folder", "cannot make " + path + ": " + failure.message());
    }
    return {};
}

std::vector<Migration> read_migrations() {
    std::vector<Migration> list;
    for (const EmbeddedFile& file : migration_files()) {
        const std::size_t dot = file.path.find('.');
        const std::string_view stem = file.path.substr(0, dot);
        const std::string_view suffix = file.path.substr(std::min(dot, file.path.size()));
        if (suffix != ".up.sql" && suffix != ".down.sql") continue;
        std::int64_t version = 0;
        std::from_chars(stem.data(), stem.data() + stem.size(), version);
        auto found = std::ranges::find(list, version, &Migration::version);
        if (found == list.end()) {
            const std::size_t line = std::min(stem.find('_'), stem.size() - 1);
            found = list.insert(list.end(), Migration{version, stem.substr(line + 1), {}, {}});
        }
        (suffix == ".up.sql" ? found->up : found->down) = file.bytes;
    }
    std::ranges::sort(list, {}, &Migration::version);
    return list;
}

}  // namespace

Task<Result<Repo>> open(std::string data_dir) {
    Result<> folder = co_await offload([data_dir] { return make_folder(data_dir); });
    if (!folder) co_return std::move(folder).error();
    co_return co_await open_sqlite({.path = data_dir + "/assetronics.db"});
}

std::span<const Migration> migrations() {
    static const std::vector<Migration> list = read_migrations();
    return list;
}

}  // namespace assetronics::database
